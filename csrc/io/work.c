/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work.h"

enum { READ_STEP = 64 << 10 };

static void fail(dc_work *w, const char *where)
{
    if (!w->error) {
        w->error = errno ? errno : EIO;
        w->where = where;
    }
}

/* Opens, syncs, closes. Every error counts: a sync that failed once may succeed the next time without the data. */
static bool sync_path(dc_work *w, const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0 || fsync(fd) != 0)
        fail(w, path);
    if (fd >= 0)
        close(fd);
    return w->error == 0;
}

/* The folder a path lies in, in a malloc'd block. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool sync_folder_of(dc_work *w, const char *path)
{
    char *folder = folder_of(path);
    if (!folder) {
        errno = ENOMEM;
        fail(w, path);
    } else if (!sync_path(w, folder, O_DIRECTORY)) {
        w->where = path; /* folder is freed here */
    }
    free(folder);
    return w->error == 0;
}

static bool same_folder(const char *a, const char *b)
{
    const char *sa = strrchr(a, '/'), *sb = strrchr(b, '/');
    size_t na = sa ? (size_t)(sa - a) + 1 : 0, nb = sb ? (size_t)(sb - b) + 1 : 0;
    return na == nb && memcmp(a, b, na) == 0;
}

static void rename_path(dc_work *w)
{
    if (rename(w->path, w->other) != 0)
        fail(w, w->path);
}

int dc_move(const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
#endif
    return link(from, to) == 0 && unlink(from) == 0 ? 0 : errno; /* a file system that cannot rename so */
}

static void commit(dc_work *w)
{
    if (!sync_path(w, w->path, O_NOFOLLOW))
        return;
    rename_path(w);
    if (w->error || !sync_folder_of(w, w->other))
        return;
    if (!same_folder(w->path, w->other))
        sync_folder_of(w, w->path);
}

static void write_all(dc_work *w, int fd, const char *where)
{
    for (size_t at = 0; at < w->bytes.len && !w->error;) {
        ssize_t n = write(fd, w->bytes.ptr + at, w->bytes.len - at);
        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || errno != EINTR)
            fail(w, where);
    }
    if (!w->error && w->durable && fsync(fd) != 0)
        fail(w, where);
    if (close(fd) != 0)
        fail(w, where);
}

static void append(dc_work *w)
{
    int fd = open(w->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        fail(w, w->path);
    else
        write_all(w, fd, w->path);
}

/* path.<random>.tmp, in a malloc'd block */
static char *temporary_name(const char *path)
{
    uint64_t r;
    size_t n = strlen(path) + 22;
    char *name = malloc(n);
    if (!name || getrandom(&r, sizeof r, 0) != sizeof r) {
        free(name);
        return NULL;
    }
    snprintf(name, n, "%s.%016llx.tmp", path, (unsigned long long)r);
    return name;
}

static void write_file(dc_work *w)
{
    w->other = temporary_name(w->path);
    if (!w->other) {
        fail(w, w->path);
        return;
    }
    int fd = open(w->other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        fail(w, w->path);
        return;
    }
    write_all(w, fd, w->path);
    if (!w->error && rename(w->other, w->path) != 0)
        fail(w, w->path);
    if (w->error)
        unlink(w->other);
    else if (w->durable)
        sync_folder_of(w, w->path);
}

static void read_file(dc_work *w)
{
    int fd = open(w->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0) {
        if (dc_buf_reserve(&w->bytes, READ_STEP) != DC_OK) {
            errno = ENOMEM;
            n = -1;
            break;
        }
        n = read(fd, w->bytes.ptr + w->bytes.len, READ_STEP);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            w->bytes.len += (size_t)n;
    }
    if (n < 0)
        fail(w, w->path);
    if (fd >= 0)
        close(fd);
}

static uint8_t type_letter(DIR *folder, const struct dirent *e)
{
    struct stat st;
    if (e->d_type == DT_REG)
        return 'f';
    if (e->d_type == DT_DIR)
        return 'd';
    if (e->d_type == DT_UNKNOWN && fstatat(dirfd(folder), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISREG(st.st_mode) ? 'f' : S_ISDIR(st.st_mode) ? 'd' : 'o';
    return 'o';
}

static void list_folder(dc_work *w)
{
    DIR *folder = opendir(w->path);
    if (!folder) {
        fail(w, w->path);
        return;
    }
    errno = 0;
    for (struct dirent *e; (e = readdir(folder)); errno = 0) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        dc_buf_u8(&w->bytes, type_letter(folder, e));
        dc_buf_add(&w->bytes, e->d_name, strlen(e->d_name) + 1);
    }
    if (w->bytes.failed)
        errno = ENOMEM;
    if (errno)
        fail(w, w->path);
    closedir(folder);
}

static void make_folder(dc_work *w)
{
    struct stat st;
    for (char *at = w->path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            if (mkdir(w->path, 0700) != 0 && errno != EEXIST)
                fail(w, w->path);
            *at = '/';
        }
    if (!w->error && mkdir(w->path, 0700) != 0 && (errno != EEXIST || stat(w->path, &st) || !S_ISDIR(st.st_mode)))
        fail(w, w->path);
}

static void remove_path(dc_work *w)
{
    if (remove(w->path) != 0)
        fail(w, w->path);
}

static void sync_file(dc_work *w)
{
    sync_path(w, w->path, 0);
}

static void sync_folder(dc_work *w)
{
    sync_path(w, w->path, O_DIRECTORY);
}

static void on_work(uv_work_t *request) /* on a thread of the pool: touches its own item only */
{
    static void (*const ops[DC_WORK_COUNT])(dc_work *) = {
        [DC_WORK_COMMIT] = commit, [DC_WORK_RENAME] = rename_path,
        [DC_WORK_SYNC] = sync_file, [DC_WORK_SYNC_FOLDER] = sync_folder, [DC_WORK_APPEND] = append, [DC_WORK_WRITE] = write_file,
        [DC_WORK_READ] = read_file, [DC_WORK_LIST_FOLDER] = list_folder, [DC_WORK_MAKE_FOLDER] = make_folder,
        [DC_WORK_REMOVE] = remove_path
    };
    dc_work *w = request->data;
    ops[w->op](w);
}

static void work_free(dc_work *w)
{
    free(w->path);
    free(w->other);
    dc_buf_free(&w->bytes);
    free(w);
}

static void on_done(uv_work_t *request, int status)
{
    dc_work *w = request->data;
    w->done = true;
    if (status && !w->error)
        w->error = ECANCELED;
    if (w->orphan)
        work_free(w);
    else
        dc_loop_ready(w->loop, &w->watch);
}

dc_work *dc_work_start(dc_loop *l, dc_work_op op, const char *path, const char *other, dc_span bytes, bool durable)
{
    dc_work *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->op = op;
    w->durable = durable;
    w->loop = l;
    w->request.data = w;
    w->path = strdup(path);
    w->other = other ? strdup(other) : NULL;
    dc_buf_add(&w->bytes, bytes.ptr, bytes.len);
    if (!w->path || (other && !w->other) || w->bytes.failed || uv_queue_work(&l->uv, &w->request, on_work, on_done)) {
        work_free(w);
        return NULL;
    }
    dc_loop_own(l, &w->watch);
    return w;
}

void dc_work_release(dc_work *w)
{
    dc_loop *l = w->loop;
    bool done = w->done;
    w->orphan = true;
    dc_watch *watch = &w->watch;
    dc_loop_disown(l, watch); /* may run the loop to its end, and on_done with it */
    if (done)
        work_free(w);
}
