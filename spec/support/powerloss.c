/* SPDX-License-Identifier: MIT */
/* A power failure for specs, preloaded: of the folder POWERLOSS_ROOT only what was fsynced is kept, in POWERLOSS_STORE.

   fsync of a file keeps its bytes of that moment, fsync of a folder its names of that moment; everything else would be
   gone. Files are told apart by inode and time of birth, because inodes are used again. spec/support/powerloss.lua
   builds the folder anew from the store, as it would be found after the failure. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *store;
static int (*real_fsync)(int), (*real_fdatasync)(int);

static void fail(const char *what)
{
    fprintf(stderr, "powerloss: %s: %s\n", what, strerror(errno));
    _exit(99);
}

/* 0: there is no such name any more; another thread may remove it while a folder is read. */
static int key_of(int fd, const char *name, char key[64], int *is_folder)
{
    struct statx s;
    if (statx(fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE, &s)) {
        if (errno == ENOENT)
            return 0;
        fail("statx");
    }
    snprintf(key, 64, "%llu-%lld.%u", (unsigned long long)s.stx_ino, (long long)s.stx_btime.tv_sec,
             s.stx_btime.tv_nsec);
    *is_folder = S_ISDIR(s.stx_mode);
    return 1;
}

static FILE *begin(const char *key, char temp[PATH_MAX])
{
    snprintf(temp, PATH_MAX, "%s/.new-%s", store, key);
    FILE *f = fopen(temp, "w");
    if (!f)
        fail("open in store");
    return f;
}

static void finish(FILE *f, const char *key, const char *temp)
{
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/%s", store, key);
    if (fclose(f) || rename(temp, name))
        fail("write to store");
}

static void keep_file(int fd, const char *key)
{
    char temp[PATH_MAX], path[64], block[65536];
    ssize_t n;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* fd may be open for writing only */
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        fail("open to keep");
    FILE *f = begin(key, temp);
    while ((n = read(in, block, sizeof block)) > 0)
        fwrite(block, 1, (size_t)n, f);
    close(in);
    finish(f, key, temp);
}

static void keep_folder(int fd, const char *key)
{
    char temp[PATH_MAX], path[64], child[64];
    int is_folder;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    DIR *d = opendir(path);
    if (!d)
        fail("opendir");
    FILE *f = begin(key, temp);
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (!key_of(dirfd(d), e->d_name, child, &is_folder))
            continue;
        fprintf(f, "%s %s %s\n", is_folder ? "folder" : "file", child, e->d_name);
    }
    closedir(d);
    finish(f, key, temp);
}

static void keep(int fd)
{
    char link[64], path[PATH_MAX], key[64];
    int is_folder;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0 || strncmp(path, root, strlen(root)) != 0)
        return;
    pthread_mutex_lock(&lock);
    if (!key_of(fd, "", key, &is_folder))
        fail("statx");
    (is_folder ? keep_folder : keep_file)(fd, key);
    pthread_mutex_unlock(&lock);
}

/* What was there when the process started had survived already. */
static void keep_tree(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail(path);
    DIR *d = opendir(path);
    if (d) {
        for (struct dirent *e; (e = readdir(d));) {
            char child[PATH_MAX];
            snprintf(child, sizeof child, "%s/%s", path, e->d_name);
            if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
                keep_tree(child);
        }
        closedir(d);
    }
    keep(fd);
    close(fd);
}

static void write_root_key(void)
{
    char key[64], temp[PATH_MAX];
    int is_folder;
    if (!key_of(AT_FDCWD, root, key, &is_folder))
        fail(root);
    FILE *f = begin("root", temp);
    fputs(key, f);
    finish(f, "root", temp);
}

__attribute__((constructor)) static void start(void)
{
    root = getenv("POWERLOSS_ROOT");
    store = getenv("POWERLOSS_STORE");
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (!root || !store)
        return;
    mkdir(store, 0700);
    write_root_key();
    keep_tree(root);
}

int fsync(int fd)
{
    if (root && store)
        keep(fd);
    return real_fsync(fd);
}

int fdatasync(int fd)
{
    if (root && store)
        keep(fd);
    return real_fdatasync(fd);
}
