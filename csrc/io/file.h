/* SPDX-License-Identifier: MIT */
/* Files: sources that own no descriptor, opening and saving data sets. */
#ifndef DC_FILE_H
#define DC_FILE_H

#include <sys/stat.h>

#include "../data/reader.h"
#include "../data/writer.h"

/* How many descriptors a thread keeps for re-reading; a thousand open data sets need no more. */
enum { DC_FILE_CACHE = 64 };

typedef struct dc_file_open_options {
    dc_reader_options read;
    const dc_limits *limits; /* NULL: defaults */
    uint64_t size;           /* bytes of the file that belong to the object; 0: all */
} dc_file_open_options;

typedef struct dc_file_save_options {
    dc_writer_options write;
    bool durable; /* fsync of the file and of its folder */
} dc_file_save_options;

/* Where an operation failed, when the status is DC_E_SYSTEM or DC_E_FULL. */
typedef struct dc_file_error {
    int number;       /* errno */
    const char *call; /* constant: "open", "rename", ... */
} dc_file_error;

DC_BEGIN
/* Reads the head of the file: values above limits.held stay there. On failure *out may be an object all the same, for
   its status_tag and status_offset; the caller unrefs it. */
dc_status dc_file_open(const char *path, const dc_file_open_options *options, dc_object **out, dc_file_error *error);

/* Writes beside `path` under a temporary name and renames: the old file or the whole new one, never a part. Untouched
   ranges are copied by the kernel. A data set saved over the file it came from goes on reading from the new one. */
dc_status dc_file_save(dc_object *object, const char *path, const dc_file_save_options *options, dc_file_error *error);

/* A file source that remembers path, device, inode, size and time of change; `stat` is of the open file. */
dc_source *dc_file_source(const char *path, const struct stat *stat, uint64_t size);

/* The file was renamed by us: the source goes on under its new path. */
dc_status dc_file_moved(dc_source *source, const char *path);

/* A descriptor of a file source for sendfile and the like, valid until the thread's next call of this module;
   negative: *status says why. */
int dc_file_descriptor(dc_source *source, dc_status *status);

/* n random bytes from the system, as 2n hexadecimal digits and a NUL. n: 32 at most. */
dc_status dc_file_random(char *hex, size_t n);

dc_status dc_file_sync_folder_of(const char *path, dc_file_error *error);
DC_END

#endif
