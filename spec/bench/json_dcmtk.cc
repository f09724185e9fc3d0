// SPDX-License-Identifier: MIT
// Writes the data sets of the files named on standard input as JSON, `rounds` times, with DCMTK in this process, each
// file loaded before: data sets a second.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcjson.h>
#include <dcmtk/dcmdata/dctk.h>

int main(int, char **argv)
{
    std::vector<std::unique_ptr<DcmFileFormat>> files;
    for (std::string line; std::getline(std::cin, line);) {
        files.emplace_back(new DcmFileFormat);
        if (files.back()->loadFile(line.c_str()).bad() || files.back()->loadAllDataIntoMemory().bad())
            return 1;
    }
    const size_t writes = files.size() * std::atoi(argv[1]);
    size_t bytes = 0;
    auto begin = std::chrono::steady_clock::now();
    for (size_t i = 0; i < writes; i++) {
        std::ostringstream out;
        DcmJsonFormatCompact format(OFFalse);
        if (files[i % files.size()]->getDataset()->writeJson(out, format).bad())
            return 2;
        bytes += out.str().size();
    }
    std::chrono::duration<double> t = std::chrono::steady_clock::now() - begin;
    if (bytes < writes)
        return 3;
    std::printf("%.0f\n", writes / t.count());
}
