/* SPDX-License-Identifier: MIT */
/* dicom.work: a file operation under way on the thread pool. dicom.lock: a locked file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../io/work.h"
#include "core.h"
#include "loop.h"

#define CLASS "dicom.work"
#define LOCK "dicom.lock"

static const char *check_path(lua_State *L, int arg)
{
    size_t n;
    const char *path = luaL_checklstring(L, arg, &n);
    luaL_argcheck(L, n > 0 && strlen(path) == n, arg, "not a path");
    return path;
}

static dc_work *check_work(lua_State *L)
{
    dc_work **w = luaL_checkudata(L, 1, CLASS);
    if (!*w)
        luaL_error(L, "operation is closed");
    return *w;
}

static int work_gc(lua_State *L)
{
    dc_work **w = luaL_checkudata(L, 1, CLASS);
    dc_work *work = *w;
    *w = NULL;
    if (work)
        dc_work_release(work);
    return 0;
}

/* core.work(loop, name, path [, other [, bytes [, durable]]]) -> work */
static int work_new(lua_State *L)
{
    static const char *const names[] = {
#define WORK_NAME(constant, name, paths) name,
        DC_WORK_LIST(WORK_NAME)
#undef WORK_NAME
        NULL
    };
    static const int paths[] = {
#define WORK_PATHS(constant, name, count) count,
        DC_WORK_LIST(WORK_PATHS)
#undef WORK_PATHS
    };
    dc_loop *l = dc_check_loop(L, 1);
    int op = luaL_checkoption(L, 2, NULL, names);
    const char *path = check_path(L, 3);
    const char *other = paths[op] == 2 ? check_path(L, 4) : NULL;
    size_t n = 0;
    const char *bytes = luaL_optlstring(L, 5, "", &n);
    dc_work **w = dc_kit_new(L, CLASS, sizeof *w);
    *w = dc_work_start(l, (dc_work_op)op, path, other, dc_span_make(bytes, n), lua_toboolean(L, 6));
    return *w ? 1 : dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, "file operation");
}

static int push_list(lua_State *L, const dc_buf *b)
{
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t at = 0; at < b->len;) {
        size_t length = strlen((const char *)b->ptr + at + 1);
        lua_pushlstring(L, (const char *)b->ptr + at, length + 1); /* type letter and name */
        lua_rawseti(L, -2, ++n);
        at += length + 2;
    }
    return 1;
}

/* next() -> false while it runs; then true, string or list, or nil, err */
static int work_next(lua_State *L)
{
    dc_work *w = check_work(L);
    if (!w->done) {
        lua_pushboolean(L, false);
        return 1;
    }
    if (w->error)
        return dc_kit_fail_errno(L, w->error, w->where);
    if (w->op == DC_WORK_READ)
        lua_pushlstring(L, w->bytes.ptr ? (const char *)w->bytes.ptr : "", w->bytes.len);
    else if (w->op == DC_WORK_LIST_FOLDER)
        push_list(L, &w->bytes);
    else
        lua_pushboolean(L, true);
    return 1;
}

static int work_id(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_work(L)->watch.id);
    return 1;
}

/* core.random(n) -> 2n hexadecimal digits from the system's generator */
static int random_hex(lua_State *L)
{
    uint8_t bytes[64];
    char text[2 * sizeof bytes];
    lua_Integer n = luaL_checkinteger(L, 1);
    if (n < 1 || n > (lua_Integer)sizeof bytes)
        return luaL_argerror(L, 1, "not from 1 to 64");
    if (getrandom(bytes, (size_t)n, 0) != (ssize_t)n)
        return luaL_error(L, "no random bytes: %s", strerror(errno));
    for (lua_Integer i = 0; i < n; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    lua_pushlstring(L, text, 2 * (size_t)n);
    return 1;
}

/* core.stat(path) -> { type=, size=, mtime=, inode=, mode=, mine= } or nil, err */
static int stat_path(lua_State *L)
{
    struct stat st;
    const char *path = check_path(L, 1);
    if (stat(path, &st) != 0)
        return dc_kit_fail_errno(L, errno, path);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "folder" : "other");
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, (lua_Integer)st.st_size);
    lua_setfield(L, -2, "size");
    lua_pushnumber(L, (lua_Number)st.st_mtim.tv_sec + (lua_Number)st.st_mtim.tv_nsec / 1e9);
    lua_setfield(L, -2, "mtime");
    lua_pushinteger(L, (lua_Integer)st.st_ino);
    lua_setfield(L, -2, "inode");
    lua_pushinteger(L, (lua_Integer)(st.st_mode & 07777));
    lua_setfield(L, -2, "mode");
    lua_pushboolean(L, st.st_uid == geteuid());
    lua_setfield(L, -2, "mine");
    return 1;
}

/* core.move(from, to) -> true or nil, err */
static int move(lua_State *L)
{
    const char *from = check_path(L, 1), *to = check_path(L, 2);
    int error = dc_move(from, to);
    if (error)
        return dc_kit_fail_errno(L, error, error == EEXIST ? to : from);
    lua_pushboolean(L, true);
    return 1;
}

static int lock_gc(lua_State *L)
{
    int *fd = luaL_checkudata(L, 1, LOCK);
    if (*fd > 0)
        close(*fd - 1); /* closing unlocks */
    *fd = 0;
    return 0;
}

/* core.lock(path) -> lock or nil, err (code "locked" is made in Lua from errno EWOULDBLOCK) */
static int lock_path(lua_State *L)
{
    const char *path = check_path(L, 1);
    int *lock = dc_kit_new(L, LOCK, sizeof *lock); /* descriptor + 1: 0 is closed */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return dc_kit_fail_errno(L, errno, path);
    *lock = fd + 1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 1;
    int err = errno;
    close(fd);
    *lock = 0;
    dc_kit_fail_errno(L, err, path);
    lua_pushboolean(L, err == EWOULDBLOCK);
    return 3;
}

void dc_open_random(lua_State *L)
{
    lua_pushcfunction(L, random_hex);
    lua_setfield(L, -2, "random");
}

void dc_open_work(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", work_gc }, { "__close", work_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "next", work_next }, { "id", work_id }, { NULL, NULL } };
    static const luaL_Reg lock_meta[] = { { "__gc", lock_gc }, { "__close", lock_gc }, { NULL, NULL } };
    static const luaL_Reg lock_methods[] = { { "close", lock_gc }, { NULL, NULL } };
    static const luaL_Reg functions[] = { { "work", work_new }, { "random", random_hex }, { "move", move },
                                          { "stat", stat_path }, { "lock", lock_path }, { NULL, NULL } };
    static const dc_class class = { CLASS, meta, methods }, lock = { LOCK, lock_meta, lock_methods };
    dc_kit_class(L, &class);
    dc_kit_class(L, &lock);
    luaL_setfuncs(L, functions, 0);
}
