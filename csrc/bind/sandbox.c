/* SPDX-License-Identifier: MIT */
/* The sandbox: a Lua state of its own in which rules run. Its memory is counted by its allocator; its instructions and
   its time by a count hook that coroutines inherit. Once the budget is spent the hook fires at every instruction, so
   that pcall cannot swallow it. Three things in Lua run with hooks switched off and are therefore not what they are
   elsewhere: finalizers (setmetatable refuses __gc), the message handler of xpcall (ours calls the rule's only while
   the budget lasts), and to-be-closed variables of a coroutine that a hook ended (coroutine.close does not exist).

   Values cross as copies: nil, booleans, numbers, strings, plain tables. A data set crosses as itself: both states
   refer to the same object, whose growth is counted as memory of the call; inside, nothing of it outlives the call, or
   a rule that keeps one would keep it out of all counting. The functions a chunk gives are held here and
   known outside by a number. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lualib.h>

#include "../base/buf.h"
#include "core.h"
#include "dataset.h"
#include "sandbox.h"

#define CLASS "dicom.sandbox"

enum {
    HOOK_EVERY = 100,        /* instructions: one of them on a string of megabytes takes milliseconds */
    LARGE = 64 << 10,        /* an allocation of this size asks for the time */
    REFUSALS = 8,            /* of memory in one call, each a full collection: then the memory budget is spent */
    CLOCK_EVERY = 16384,     /* charged instructions between two looks at the clock */
    MESSAGE_SIZE = 2 << 10,  /* of an error, without its traceback: it is kept with what is parked */
    TEXT_SIZE = 16 << 10     /* of both */
};

typedef enum spent { LASTS, INSTRUCTIONS, TIME, MEMORY } spent;

static const char *const spent_names[] = { "", "instructions", "time", "memory" };
static const char *const spent_texts[] = { "", "the budget of instructions is spent", "the budget of time is spent",
                                           "the budget of memory is spent" };

struct dc_box {
    lua_State *S;       /* NULL: closed */
    lua_State *running; /* the coroutine that runs: where the allocator sets the hook */
    size_t memory, memory_limit;
    uint64_t instructions; /* of one call */
    int64_t nanoseconds;   /* of one call */
    uint64_t left;
    int64_t deadline;
    uint32_t clock_in, refused;
    spent spent;
    bool active, limited;
    dc_dataset *const *datasets; /* of the call, in all `dataset_count` */
    int dataset_count;
    size_t datasets_had; /* bytes they held before */
    dc_dataset_view *views; /* of data sets, inside */
    bool looking;        /* the call may not change them */
    dc_buf printed;
    char position[120]; /* file:line of the last failure */
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- budget ---- */

dc_box *dc_box_of(lua_State *L)
{
    return *(dc_box **)lua_getextraspace(L);
}

size_t dc_box_memory(const dc_box *b)
{
    return b->memory;
}

dc_buf *dc_box_printed(dc_box *b)
{
    return &b->printed;
}

bool dc_box_is_spent(const dc_box *b)
{
    return b->spent != LASTS;
}

void dc_box_call(lua_State *L, int arguments, int results)
{
    lua_call(L, arguments, results);
}

int dc_box_resume(lua_State *L, lua_State *co, int arguments, int *results)
{
    dc_box *b = dc_box_of(L);
    lua_State *before = b->running;
    b->running = co;
    int status = lua_resume(co, L, arguments, results);
    b->running = before;
    return status;
}

static void box_hook(lua_State *L, lua_Debug *ar);

static void spend(dc_box *b, spent what)
{
    if (b->spent == LASTS)
        b->spent = what;
    lua_sethook(b->running, box_hook, LUA_MASKCOUNT, 1);
}

static size_t datasets_hold(const dc_box *b)
{
    size_t n = 0;
    for (int i = 0; i < b->dataset_count; i++)
        n += dc_object_memory(b->datasets[i]->object);
    return n;
}

static void look_at_datasets(dc_box *b)
{
    if (b->spent == LASTS && datasets_hold(b) > b->datasets_had + b->memory_limit)
        spend(b, MEMORY);
}

static void look_at_clock(dc_box *b)
{
    b->clock_in = CLOCK_EVERY;
    if (b->spent == LASTS && now() > b->deadline)
        spend(b, TIME);
}

static void take(dc_box *b, uint64_t n)
{
    if (n > b->left) {
        b->left = 0;
        spend(b, INSTRUCTIONS);
        return;
    }
    b->left -= n;
    if (n >= b->clock_in)
        look_at_clock(b);
    else
        b->clock_in -= (uint32_t)n;
}

static int raise_spent(lua_State *L, const dc_box *b)
{
    return luaL_error(L, "%s", spent_texts[b->spent]);
}

void dc_box_charge(lua_State *L, uint64_t n)
{
    dc_box *b = dc_box_of(L);
    if (b->spent == LASTS)
        take(b, n);
    if (b->spent != LASTS)
        raise_spent(L, b);
}

void dc_box_may_change(lua_State *L)
{
    if (dc_box_of(L)->looking)
        luaL_error(L, "match only looks: a data set is changed in change");
}

void dc_box_weigh(lua_State *L)
{
    dc_box *b = dc_box_of(L);
    look_at_datasets(b);
    if (b->spent != LASTS)
        raise_spent(L, b);
}

static void box_hook(lua_State *L, lua_Debug *ar)
{
    dc_box *b = dc_box_of(L);
    (void)ar;
    if (b->spent == LASTS) {
        int count = lua_gethookcount(L);
        if (count != HOOK_EVERY) /* spent in an earlier call */
            lua_sethook(L, box_hook, LUA_MASKCOUNT, HOOK_EVERY);
        take(b, (uint64_t)count);
        if (b->spent == LASTS)
            look_at_clock(b);
        look_at_datasets(b);
    }
    if (b->spent != LASTS) {
        lua_sethook(L, box_hook, LUA_MASKCOUNT, 1);
        raise_spent(L, b);
    }
}

/* ---- memory ---- */

static bool admit(dc_box *b, size_t more)
{
    if (!b->limited)
        return true;
    if (more > b->memory_limit || b->memory > b->memory_limit - more) {
        if (b->active && ++b->refused > REFUSALS)
            spend(b, MEMORY);
        return false;
    }
    if (more >= LARGE && b->active && b->spent == LASTS) {
        take(b, more >> 8);
        look_at_clock(b);
    }
    return true;
}

static void *box_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    dc_box *b = ud;
    size_t had = ptr ? osize : 0; /* without a block osize is the kind of object */
    if (nsize == 0) {
        free(ptr);
        b->memory -= had;
        return NULL;
    }
    if (nsize > had && !admit(b, nsize - had))
        return NULL;
    void *p = realloc(ptr, nsize);
    if (p)
        b->memory = b->memory - had + nsize;
    return p;
}

/* ---- functions that differ inside ---- */

static int protected_end(lua_State *L, int status, lua_KContext ignored)
{
    bool good = status == LUA_OK || status == LUA_YIELD;
    if (!good) {
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)ignored;
}

/* The handler of a rule runs where the error was raised; raised by the hook, hooks are off there. */
static int guarded_handler(lua_State *L)
{
    if (dc_box_is_spent(dc_box_of(L)))
        return 1;
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int box_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int n = lua_gettop(L);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guarded_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1); /* first result */
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, protected_end);
    return protected_end(L, status, 2);
}

/* ---- the state ---- */

static void open_library(lua_State *S, const char *name, lua_CFunction open, void (*mend)(lua_State *))
{
    luaL_requiref(S, name, open, 1);
    if (mend)
        mend(S);
    lua_pop(S, 1);
}

static int fill(lua_State *S)
{
    open_library(S, "_G", luaopen_base, NULL);
    lua_getfield(S, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); /* for names in messages only, see bounded.c */
    lua_newtable(S);
    lua_setfield(S, -2, LUA_GNAME);
    open_library(S, "string", luaopen_string, dc_box_strings);
    open_library(S, "table", luaopen_table, dc_box_tables);
    open_library(S, "math", luaopen_math, NULL);
    open_library(S, "utf8", luaopen_utf8, dc_box_strings);
    open_library(S, "coroutine", luaopen_coroutine, dc_box_coroutines);
    lua_pushglobaltable(S);
    lua_pushcfunction(S, box_xpcall);
    lua_setfield(S, -2, "xpcall");
    dc_box_base(S);
    lua_getfield(S, -1, "string");
    dc_box_patterns(S);
    lua_newtable(S);
    dc_open_sandboxed(S); /* for the text that runs first, which takes `core` away from what follows */
    lua_setglobal(S, "core");
    dc_box_datasets(S);
    dc_list_views(S, &dc_box_of(S)->views);
    dc_box_errors(S);
    return 0;
}

static dc_box *check_box(lua_State *L)
{
    dc_box *b = luaL_checkudata(L, 1, CLASS);
    if (!b->S)
        luaL_error(L, "sandbox is closed");
    if (b->active)
        luaL_error(L, "sandbox is in use");
    return b;
}

static uint64_t option(lua_State *L, const char *name, double fallback, double scale)
{
    lua_getfield(L, 1, name);
    double v = luaL_optnumber(L, -1, fallback);
    lua_pop(L, 1);
    if (!(v > 0 && v * scale < 9e15))
        luaL_error(L, "sandbox: %s must be a positive number", name);
    return (uint64_t)(v * scale);
}

/* core.sandbox{ memory = bytes, instructions = n, seconds = s } */
static int sandbox(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    dc_box *b = dc_kit_new(L, CLASS, sizeof *b);
    b->memory_limit = (size_t)option(L, "memory", 32 << 20, 1);
    b->instructions = option(L, "instructions", 10e6, 1);
    b->nanoseconds = (int64_t)option(L, "seconds", 2, 1e9);
    dc_buf_init(&b->printed);
    b->S = lua_newstate(box_alloc, b);
    if (!b->S)
        return dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
    *(dc_box **)lua_getextraspace(b->S) = b;
    b->running = b->S;
    lua_pushcfunction(b->S, fill);
    if (lua_pcall(b->S, 0, 0, 0) != LUA_OK)
        return dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, "sandbox");
    lua_sethook(b->S, box_hook, LUA_MASKCOUNT, HOOK_EVERY);
    b->limited = true;
    return 1;
}

static int sandbox_close(lua_State *L)
{
    dc_box *b = luaL_checkudata(L, 1, CLASS);
    lua_State *S = b->S;
    b->S = NULL;
    if (S)
        lua_close(S);
    dc_buf_free(&b->printed);
    return 0;
}

/* ---- crossing ---- */

typedef struct crossing {
    lua_State *outside;
    int first, count;    /* arguments on its stack */
    int handle;          /* of the function; 0: load */
    const char *text, *name;
    size_t length;
    int nodes;           /* left to copy */
    dc_dataset **datasets; /* those among the arguments */
    int dataset_count;
    bool looking;
} crossing;

/* Functions among the results become numbers, as light userdata, which nothing else inside can make. */
static void hold_functions(lua_State *S, int count)
{
    for (int i = 1; i <= count; i++)
        if (lua_isfunction(S, i)) {
            lua_pushvalue(S, i);
            lua_pushlightuserdata(S, (void *)(intptr_t)luaL_ref(S, LUA_REGISTRYINDEX));
            lua_replace(S, i);
        }
}

/* Data sets are the userdata among the arguments: sandbox_call let no other pass. */
static void enter_argument(lua_State *S, crossing *x, int at, int *known)
{
    luaL_checkstack(S, 4, "crossing");
    if (lua_isuserdata(x->outside, at)) {
        dc_dataset *ds = x->datasets[(*known)++];
        dc_push_dataset(S, ds->object, ds);
        return;
    }
    const char *problem = dc_box_copy(x->outside, at, S, &x->nodes);
    if (problem)
        luaL_error(S, "%s", problem);
}

static int enter(lua_State *S)
{
    crossing *x = lua_touserdata(S, 1);
    lua_settop(S, 0);
    if (!x->handle) {
        if (luaL_loadbufferx(S, x->text, x->length, x->name, "t") != LUA_OK)
            return lua_error(S);
    } else if (lua_rawgeti(S, LUA_REGISTRYINDEX, x->handle) != LUA_TFUNCTION) {
        return luaL_error(S, "no such function in the sandbox");
    } else {
        for (int i = 0, known = 0; i < x->count; i++)
            enter_argument(S, x, x->first + i, &known);
        lua_call(S, x->count, LUA_MULTRET);
    }
    hold_functions(S, lua_gettop(S));
    return lua_gettop(S);
}

/* Turns any error into its text with a traceback, where it was raised. */
static int trace(lua_State *S)
{
    dc_box *b = dc_box_of(S);
    dc_box_position(S, b->position, sizeof b->position);
    if (dc_box_is_spent(b))
        lua_pushstring(S, spent_texts[b->spent]);
    else if (lua_isstring(S, 1) || luaL_getmetafield(S, 1, "__tostring"))
        luaL_tolstring(S, 1, NULL);
    else
        lua_pushfstring(S, "error object is a %s value", luaL_typename(S, 1));
    size_t n;
    const char *text = lua_tolstring(S, -1, &n);
    if (n > MESSAGE_SIZE)
        lua_pushfstring(S, "%s...", lua_pushlstring(S, text, MESSAGE_SIZE));
    luaL_traceback(S, S, lua_tostring(S, -1), 1);
    return 1;
}

/* Pushes nil and an error object of the text on the top. */
static int push_failure(lua_State *L, const dc_box *b, spent what)
{
    int text = lua_gettop(L);
    lua_pushnil(L);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, what ? "budget" : "rule");
    lua_setfield(L, -2, "code");
    lua_pushvalue(L, text);
    lua_setfield(L, -2, "text");
    if (what) {
        lua_pushstring(L, spent_names[what]);
        lua_setfield(L, -2, "which");
    }
    if (b->position[0]) {
        lua_pushstring(L, b->position);
        lua_setfield(L, -2, "position");
    }
    luaL_setmetatable(L, DC_ERROR);
    return 2;
}

static int fail(lua_State *L, dc_box *b, int status)
{
    spent what = b->spent != LASTS ? b->spent : status == LUA_ERRMEM ? MEMORY : LASTS;
    size_t n = 0;
    const char *text = status == LUA_ERRRUN && lua_isstring(b->S, -1) ? lua_tolstring(b->S, -1, &n) : NULL;
    if (text)
        lua_pushlstring(L, text, n < TEXT_SIZE ? n : TEXT_SIZE);
    else
        lua_pushstring(L, what ? spent_texts[what] : "error in error handling");
    lua_settop(b->S, 0);
    return push_failure(L, b, what);
}

static int leave(lua_State *L, dc_box *b)
{
    int count = lua_gettop(b->S) - 1, nodes = DC_CROSSING_NODES, top = lua_gettop(L);
    luaL_checkstack(L, count + 4, "too many results");
    for (int i = 2; i <= count + 1; i++) {
        const char *problem = NULL;
        if (lua_islightuserdata(b->S, i))
            lua_pushinteger(L, (lua_Integer)(intptr_t)lua_touserdata(b->S, i));
        else
            problem = dc_box_copy(b->S, i, L, &nodes);
        if (problem) {
            lua_settop(L, top);
            lua_settop(b->S, 0);
            lua_pushstring(L, problem);
            return push_failure(L, b, LASTS);
        }
    }
    lua_settop(b->S, 0);
    return count;
}

static void renew(dc_box *b)
{
    b->left = b->instructions;
    b->deadline = now() + b->nanoseconds;
    b->clock_in = CLOCK_EVERY;
    b->refused = 0;
    b->spent = LASTS;
    b->running = b->S;
    b->position[0] = '\0';
    lua_sethook(b->S, box_hook, LUA_MASKCOUNT, HOOK_EVERY);
}

static int run(lua_State *L, dc_box *b, crossing *x)
{
    int top = lua_gettop(L);
    renew(b);
    lua_settop(b->S, 0);
    lua_pushcfunction(b->S, trace);
    lua_pushcfunction(b->S, enter);
    lua_pushlightuserdata(b->S, x);
    b->datasets = x->datasets;
    b->dataset_count = x->dataset_count;
    b->datasets_had = datasets_hold(b);
    b->looking = x->looking;
    b->active = true;
    int status = lua_pcall(b->S, 1, LUA_MULTRET, 1);
    b->active = false;
    b->dataset_count = 0;
    dc_close_views(&b->views);
    lua_settop(L, top); /* a failed copy leaves its iteration there */
    return status != LUA_OK || b->spent != LASTS ? fail(L, b, status) : leave(L, b);
}

/* sb:load(source, name) -> handle | nil, err */
static int sandbox_load(lua_State *L)
{
    dc_box *b = check_box(L);
    crossing x = { .outside = L };
    x.text = luaL_checklstring(L, 2, &x.length);
    x.name = luaL_optstring(L, 3, "=rule");
    luaL_argcheck(L, x.length <= DC_SOURCE_SIZE, 2, "source is too long");
    return run(L, b, &x);
}

static int call(lua_State *L, bool looking)
{
    dc_box *b = check_box(L);
    lua_Integer handle = luaL_checkinteger(L, 2);
    int count = lua_gettop(L) - 2;
    luaL_argcheck(L, handle > 0 && handle < INT32_MAX, 2, "not a handle");
    luaL_checkstack(L, 3 * DC_CROSSING_DEPTH + 8, "crossing");
    crossing x = { .outside = L, .first = 3, .count = count, .handle = (int)handle, .nodes = DC_CROSSING_NODES,
                   .looking = looking };
    x.datasets = lua_newuserdatauv(L, sizeof *x.datasets * (size_t)(count + 1), 0);
    for (int i = 3; i < 3 + count; i++)
        if (lua_isuserdata(L, i))
            x.datasets[x.dataset_count++] = dc_check_dataset(L, i);
    return run(L, b, &x);
}

/* sb:call(handle, ...) -> results | nil, err */
static int sandbox_call(lua_State *L)
{
    return call(L, false);
}

/* sb:look(handle, ...): the same, but the data sets cannot be changed. */
static int sandbox_look(lua_State *L)
{
    return call(L, true);
}

/* sb:printed() -> list of lines that rules printed since the last time */
static int sandbox_printed(lua_State *L)
{
    dc_box *b = check_box(L);
    const char *at = (const char *)b->printed.ptr, *end = at + b->printed.len;
    lua_newtable(L);
    for (lua_Integer i = 1; at < end; i++) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        lua_pushlstring(L, at, (size_t)(stop - at));
        lua_seti(L, -2, i);
        at = stop + 1;
    }
    b->printed.len = 0;
    return 1;
}

/* sb:memory() -> bytes held inside */
static int sandbox_memory(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_box(L)->memory);
    return 1;
}

void dc_open_sandbox(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", sandbox_close }, { "__close", sandbox_close }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "load", sandbox_load },   { "call", sandbox_call },
                                        { "look", sandbox_look },       { "printed", sandbox_printed }, { "memory", sandbox_memory },
                                        { "close", sandbox_close }, { NULL, NULL } };
    static const dc_class class = { CLASS, meta, methods };
    dc_kit_class(L, &class);
    lua_pushcfunction(L, sandbox);
    lua_setfield(L, -2, "sandbox");
}
