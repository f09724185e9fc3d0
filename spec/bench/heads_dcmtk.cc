// SPDX-License-Identifier: MIT
// Reads the headers of the files named on standard input, `rounds` times, with DCMTK in this process: files a second.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

int main(int, char **argv)
{
    std::vector<std::string> names;
    for (std::string line; std::getline(std::cin, line);)
        names.push_back(line);
    const DcmTagKey keys[] = { DCM_PatientID, DCM_Modality, DCM_StudyInstanceUID, DCM_Rows, DCM_SliceThickness };
    size_t seen = 0;
    const size_t reads = names.size() * std::atoi(argv[1]);
    auto begin = std::chrono::steady_clock::now();
    for (size_t i = 0; i < reads; i++) {
        DcmFileFormat file;
        OFString value;
        if (file.loadFile(names[i % names.size()].c_str()).bad())
            return 1;
        for (const auto &key : keys)
            seen += file.getDataset()->findAndGetOFString(key, value).good();
    }
    std::chrono::duration<double> t = std::chrono::steady_clock::now() - begin;
    if (seen != reads * 5)
        return 2;
    std::printf("%.0f\n", reads / t.count());
}
