/* SPDX-License-Identifier: MIT */
/* The sandbox: a Lua state of its own in which rules run. Its memory is counted by its allocator; its instructions and
   its time by a count hook that coroutines inherit. Once the budget is spent the hook fires at every instruction, so
   that pcall cannot swallow it. Three things in Lua run with hooks switched off and are therefore not what they are
   elsewhere: finalizers (setmetatable refuses __gc), the message handler of xpcall (ours calls the rule's only while
   the budget lasts), and to-be-closed variables of a coroutine that a hook ended (coroutine.close does not exist).

   Values cross as copies: nil, booleans, numbers, strings, plain tables. The functions a chunk gives are held here and
   known outside by a number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lualib.h>

#include "../base/buf.h"
#include "core.h"
#include "sandbox.h"

#define CLASS "dicom.sandbox"

enum {
    HOOK_EVERY = 100,       /* instructions: one of them on a string of megabytes takes milliseconds */
    LARGE = 64 << 10,       /* an allocation of this size asks for the time */
    REFUSALS = 8,           /* of memory in one call, each a full collection: then the memory budget is spent */
    CLOCK_EVERY = 16384,    /* charged instructions between two looks at the clock */
    CROSSING_DEPTH = 16,    /* nested tables that may cross */
    CROSSING_NODES = 10000, /* keys and values that may cross in one call */
    SOURCE_SIZE = 1 << 20,  /* bytes of one chunk: the parser runs without hooks */
    PRINTED_SIZE = 16 << 10 /* bytes that print may leave in one call */
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

bool dc_box_is_spent(const dc_box *b)
{
    return b->spent != LASTS;
}

void dc_box_set_running(dc_box *b, lua_State *L)
{
    b->running = L;
}

lua_State *dc_box_running(const dc_box *b)
{
    return b->running;
}

static void box_hook(lua_State *L, lua_Debug *ar);

static void spend(dc_box *b, spent what)
{
    if (b->spent == LASTS)
        b->spent = what;
    lua_sethook(b->running, box_hook, LUA_MASKCOUNT, 1);
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

static int box_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a rule may not have finalizers (__gc)");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int box_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_istable(L, 1) || !lua_getmetatable(L, 1))
        lua_pushnil(L);
    else if (luaL_getmetafield(L, 1, "__metatable") == LUA_TNIL)
        return 1;
    return 1;
}

/* load(text [, name [, mode [, env]]]): text only, whole, of bounded size. */
static int box_load(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    const char *name = luaL_optstring(L, 2, "=(load)");
    const char *mode = luaL_optstring(L, 3, "t");
    if (!strchr(mode, 't'))
        return luaL_argerror(L, 3, "a rule loads text only");
    luaL_argcheck(L, n <= SOURCE_SIZE, 1, "source is too long");
    dc_box_charge(L, n + (n >> 10) * (n >> 10)); /* labels make the parser quadratic */
    if (luaL_loadbufferx(L, text, n, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (lua_gettop(L) >= 5) { /* env was given, maybe nil; the function is above it */
        lua_pushvalue(L, 4);
        lua_setupvalue(L, -2, 1);
    }
    return 1;
}

static int box_collectgarbage(lua_State *L)
{
    const char *option = luaL_optstring(L, 1, "collect");
    if (strcmp(option, "count") == 0)
        lua_pushnumber(L, (lua_Number)dc_box_of(L)->memory / 1024);
    else
        lua_pushinteger(L, 0); /* a collection on demand would be work that no budget sees */
    return 1;
}

/* What rules print is kept, a line each, until the caller fetches it. */
static int box_print(lua_State *L)
{
    dc_box *b = dc_box_of(L);
    int n = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    if (len < PRINTED_SIZE && b->printed.len < PRINTED_SIZE - len && dc_buf_reserve(&b->printed, len + 1) == DC_OK) {
        dc_buf_add(&b->printed, text, len);
        dc_buf_u8(&b->printed, '\0');
    }
    return 0;
}

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

/* Errors of the C core inside: text and place as lua/dicom/error.lua gives them outside. */
static int error_text(lua_State *L)
{
    lua_settop(L, 1);
    lua_getfield(L, 1, "text");
    const char *text = lua_tostring(L, -1);
    lua_getfield(L, 1, "tag");
    lua_Integer tag = lua_tointeger(L, -1);
    char place[32];
    snprintf(place, sizeof place, " at (%04X,%04X)", (unsigned)(tag >> 16 & 0xFFFF), (unsigned)(tag & 0xFFFF));
    lua_pushfstring(L, "%s%s", text ? text : "error", tag ? place : "");
    return 1;
}

/* ---- the state ---- */

static const luaL_Reg own_functions[] = { { "setmetatable", box_setmetatable }, { "getmetatable", box_getmetatable },
                                          { "load", box_load }, { "collectgarbage", box_collectgarbage },
                                          { "print", box_print }, { "xpcall", box_xpcall }, { NULL, NULL } };

static const char *const forbidden[] = { "dofile", "loadfile", "require", "warn", NULL };

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
    luaL_setfuncs(S, own_functions, 0);
    for (const char *const *name = forbidden; *name; name++) {
        lua_pushnil(S);
        lua_setfield(S, -2, *name);
    }
    lua_getfield(S, -1, "string");
    dc_box_patterns(S);
    lua_newtable(S);
    dc_open_sandboxed(S);
    luaL_newmetatable(S, DC_ERROR);
    lua_pushcfunction(S, error_text);
    lua_setfield(S, -2, "__tostring");
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
} crossing;

static const char *copy_value(lua_State *from, int at, lua_State *to, int depth, int *nodes);

static const char *copy_table(lua_State *from, int at, lua_State *to, int depth, int *nodes)
{
    const char *problem = NULL;
    if (depth >= CROSSING_DEPTH || !lua_checkstack(from, 3))
        return "a table nested too deep cannot cross";
    luaL_checkstack(to, 4, "crossing");
    lua_newtable(to);
    lua_pushnil(from);
    while (lua_next(from, at)) {
        int top = lua_gettop(from);
        problem = copy_value(from, top - 1, to, depth + 1, nodes);
        if (!problem)
            problem = copy_value(from, top, to, depth + 1, nodes);
        if (problem)
            return problem;
        lua_rawset(to, -3);
        lua_settop(from, top - 1);
    }
    return NULL;
}

/* Copies the value at an absolute index; NULL, or what cannot cross. Raises only in `to`. */
static const char *copy_value(lua_State *from, int at, lua_State *to, int depth, int *nodes)
{
    size_t n;
    const char *text;
    if (--*nodes < 0)
        return "a table with too many values cannot cross";
    luaL_checkstack(to, 4, "crossing");
    switch (lua_type(from, at)) {
    case LUA_TNIL: lua_pushnil(to); return NULL;
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, at)); return NULL;
    case LUA_TNUMBER:
        if (lua_isinteger(from, at))
            lua_pushinteger(to, lua_tointeger(from, at));
        else
            lua_pushnumber(to, lua_tonumber(from, at));
        return NULL;
    case LUA_TSTRING:
        text = lua_tolstring(from, at, &n);
        lua_pushlstring(to, text, n);
        return NULL;
    case LUA_TTABLE: return copy_table(from, at, to, depth, nodes);
    case LUA_TFUNCTION: return "a function inside a table cannot cross";
    default: return "only plain values and data sets can cross";
    }
}

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
        for (int i = 0; i < x->count; i++) {
            const char *problem = copy_value(x->outside, x->first + i, S, 0, &x->nodes);
            if (problem)
                return luaL_error(S, "%s", problem);
        }
        lua_call(S, x->count, LUA_MULTRET);
    }
    hold_functions(S, lua_gettop(S));
    return lua_gettop(S);
}

static void note_position(lua_State *S, dc_box *b)
{
    lua_Debug ar;
    b->position[0] = '\0';
    for (int level = 1; lua_getstack(S, level, &ar); level++) {
        lua_getinfo(S, "Sl", &ar);
        if (ar.currentline > 0) {
            snprintf(b->position, sizeof b->position, "%s:%d", ar.short_src, ar.currentline);
            return;
        }
    }
}

/* Turns any error into its text with a traceback, where it was raised. */
static int trace(lua_State *S)
{
    dc_box *b = dc_box_of(S);
    note_position(S, b);
    if (dc_box_is_spent(b))
        lua_pushstring(S, spent_texts[b->spent]);
    else if (lua_isstring(S, 1) || luaL_getmetafield(S, 1, "__tostring"))
        luaL_tolstring(S, 1, NULL);
    else
        lua_pushfstring(S, "error object is a %s value", luaL_typename(S, 1));
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
        lua_pushlstring(L, text, n);
    else
        lua_pushstring(L, what ? spent_texts[what] : "error in error handling");
    lua_settop(b->S, 0);
    return push_failure(L, b, what);
}

static int leave(lua_State *L, dc_box *b)
{
    int count = lua_gettop(b->S) - 1, nodes = CROSSING_NODES, top = lua_gettop(L);
    luaL_checkstack(L, count + 4, "too many results");
    for (int i = 2; i <= count + 1; i++) {
        const char *problem = NULL;
        if (lua_islightuserdata(b->S, i))
            lua_pushinteger(L, (lua_Integer)(intptr_t)lua_touserdata(b->S, i));
        else
            problem = copy_value(b->S, i, L, 0, &nodes);
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
    b->active = true;
    int status = lua_pcall(b->S, 1, LUA_MULTRET, 1);
    b->active = false;
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
    luaL_argcheck(L, x.length <= SOURCE_SIZE, 2, "source is too long");
    return run(L, b, &x);
}

/* sb:call(handle, ...) -> results | nil, err */
static int sandbox_call(lua_State *L)
{
    dc_box *b = check_box(L);
    lua_Integer handle = luaL_checkinteger(L, 2);
    int count = lua_gettop(L) - 2;
    luaL_argcheck(L, handle > 0 && handle < INT32_MAX, 2, "not a handle");
    luaL_checkstack(L, 3 * CROSSING_DEPTH + 8, "crossing");
    crossing x = { .outside = L, .first = 3, .count = count, .handle = (int)handle, .nodes = CROSSING_NODES };
    return run(L, b, &x);
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
                                        { "printed", sandbox_printed }, { "memory", sandbox_memory },
                                        { "close", sandbox_close }, { NULL, NULL } };
    static const dc_class class = { CLASS, meta, methods };
    dc_kit_class(L, &class);
    lua_pushcfunction(L, sandbox);
    lua_setfield(L, -2, "sandbox");
}
