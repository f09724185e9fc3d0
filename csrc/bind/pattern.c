/* SPDX-License-Identifier: MIT */
/* Lua patterns for the sandbox: what string.find, match, gmatch and gsub do (Lua 5.4 manual, 6.4.1), with every step of
   the matcher charged to the budget. A pattern can ask for exponential work, and C runs it without hooks. */
#include <ctype.h>
#include <string.h>

#include "sandbox.h"

enum {
    CAPTURES = 32, /* as LUA_MAXCAPTURES */
    DEPTH = 200,   /* quantified items and captures nested in one another: C stack */
    FUEL = 4096,   /* steps between two charges */
    POSITION = -1, /* lengths of captures that are not substrings */
    OPEN = -2
};

typedef struct capture {
    const char *from;
    ptrdiff_t length;
} capture;

typedef struct matcher {
    lua_State *L;
    const char *subject, *subject_end, *pattern_end;
    capture captures[CAPTURES];
    int count, depth;
    uint32_t fuel;
} matcher;

static const char *match_here(matcher *m, const char *s, const char *p);

static void burn(matcher *m, size_t steps)
{
    if (steps < m->fuel) {
        m->fuel -= (uint32_t)steps;
        return;
    }
    dc_box_charge(m->L, FUEL + steps);
    m->fuel = FUEL;
}

/* ---- single characters ---- */

static bool is_of_class(int c, int letter)
{
    bool yes;
    switch (tolower(letter)) {
    case 'a': yes = isalpha(c); break;
    case 'c': yes = iscntrl(c); break;
    case 'd': yes = isdigit(c); break;
    case 'g': yes = isgraph(c); break;
    case 'l': yes = islower(c); break;
    case 'p': yes = ispunct(c); break;
    case 's': yes = isspace(c); break;
    case 'u': yes = isupper(c); break;
    case 'w': yes = isalnum(c); break;
    case 'x': yes = isxdigit(c); break;
    default: return letter == c;
    }
    return isupper(letter) ? !yes : yes;
}

/* Past the item that begins at p: one character, an escape, or a set. */
static const char *item_end(matcher *m, const char *p)
{
    const char *end = m->pattern_end;
    char first = *p++;
    if (first == '%') {
        if (p == end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (first != '[')
        return p;
    if (p < end && *p == '^')
        p++;
    for (bool begun = false;; begun = true) { /* a ']' right at the beginning stands for itself */
        if (p == end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p == ']' && begun)
            return p + 1;
        if (*p++ == '%') {
            if (p == end)
                luaL_error(m->L, "malformed pattern (missing ']')");
            p++;
        }
    }
}

/* A set from its '[' to its ']'. */
static bool is_in_set(int c, const char *p, const char *last)
{
    bool listed = true;
    if (*++p == '^') {
        listed = false;
        p++;
    }
    while (p < last) {
        if (*p == '%') {
            if (is_of_class(c, (unsigned char)p[1]))
                return listed;
            p += 2;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return listed;
            p += 3;
        } else if ((unsigned char)*p++ == c) {
            return listed;
        }
    }
    return !listed;
}

static bool matches_item(matcher *m, const char *s, const char *p, const char *end)
{
    burn(m, 1 + (size_t)(*p == '[' ? end - p : 0));
    if (s >= m->subject_end)
        return false;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.': return true;
    case '%': return is_of_class(c, (unsigned char)p[1]);
    case '[': return is_in_set(c, p, end - 1);
    default: return (unsigned char)*p == c;
    }
}

/* ---- captures ---- */

static const char *open_capture(matcher *m, const char *s, const char *p, ptrdiff_t kind)
{
    if (m->count >= CAPTURES)
        luaL_error(m->L, "too many captures");
    m->captures[m->count].from = s;
    m->captures[m->count].length = kind;
    m->count++;
    const char *end = match_here(m, s, p);
    if (!end)
        m->count--;
    return end;
}

static const char *close_capture(matcher *m, const char *s, const char *p)
{
    int i = m->count - 1;
    while (i >= 0 && m->captures[i].length != OPEN)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->captures[i].length = s - m->captures[i].from;
    const char *end = match_here(m, s, p);
    if (!end)
        m->captures[i].length = OPEN;
    return end;
}

static const char *back_reference(matcher *m, const char *s, int digit)
{
    int i = digit - '1';
    if (i < 0 || i >= m->count || m->captures[i].length == OPEN)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    size_t n = (size_t)m->captures[i].length; /* a position is too long to be found again */
    if ((size_t)(m->subject_end - s) < n)
        return NULL;
    burn(m, 1 + n / 16);
    return memcmp(m->captures[i].from, s, n) == 0 ? s + n : NULL;
}

/* ---- items ---- */

static const char *balanced(matcher *m, const char *s, const char *p)
{
    if (m->pattern_end - p < 2)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->subject_end || *s != p[0])
        return NULL;
    size_t open = 1;
    while (++s < m->subject_end) {
        burn(m, 1);
        if (*s == p[1]) {
            if (--open == 0)
                return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

static bool is_frontier(matcher *m, const char *s, const char *set, const char *end)
{
    int previous = s == m->subject ? '\0' : (unsigned char)s[-1];
    int next = s < m->subject_end ? (unsigned char)*s : '\0';
    burn(m, (size_t)(end - set));
    return !is_in_set(previous, set, end - 1) && is_in_set(next, set, end - 1);
}

/* As many as there are, then fewer. */
static const char *longest_first(matcher *m, const char *s, const char *p, const char *end)
{
    ptrdiff_t n = 0;
    while (matches_item(m, s + n, p, end))
        n++;
    for (; n >= 0; n--) {
        const char *found = match_here(m, s + n, end + 1);
        if (found)
            return found;
    }
    return NULL;
}

/* None, then more. */
static const char *shortest_first(matcher *m, const char *s, const char *p, const char *end)
{
    for (;; s++) {
        const char *found = match_here(m, s, end + 1);
        if (found)
            return found;
        if (!matches_item(m, s, p, end))
            return NULL;
    }
}

/* The items in which the C stack need not grow: *s and *p move past them. False: they do not match. */
static bool special_item(matcher *m, const char **s, const char **p, bool *taken)
{
    const char *at = *p;
    *taken = *at == '%' && at + 1 < m->pattern_end && (at[1] == 'b' || at[1] == 'f' || isdigit((unsigned char)at[1]));
    if (!*taken)
        return true;
    if (at[1] == 'b') {
        *s = balanced(m, *s, at + 2);
        *p = at + 4;
        return *s != NULL;
    }
    if (at[1] == 'f') {
        if (at + 2 == m->pattern_end || at[2] != '[')
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        *p = item_end(m, at + 2);
        return is_frontier(m, *s, at + 2, *p);
    }
    *s = back_reference(m, *s, (unsigned char)at[1]);
    *p = at + 2;
    return *s != NULL;
}

static const char *match_items(matcher *m, const char *s, const char *p)
{
    while (p < m->pattern_end) {
        bool taken;
        burn(m, 1);
        if (*p == '(') {
            bool position = p + 1 < m->pattern_end && p[1] == ')';
            return open_capture(m, s, p + (position ? 2 : 1), position ? POSITION : OPEN);
        }
        if (*p == ')')
            return close_capture(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end)
            return s == m->subject_end ? s : NULL;
        if (!special_item(m, &s, &p, &taken))
            return NULL;
        if (taken)
            continue;
        const char *end = item_end(m, p);
        char quantifier = end < m->pattern_end ? *end : '\0';
        if (quantifier == '*')
            return longest_first(m, s, p, end);
        if (quantifier == '-')
            return shortest_first(m, s, p, end);
        bool here = matches_item(m, s, p, end);
        if (quantifier == '+')
            return here ? longest_first(m, s + 1, p, end) : NULL;
        if (quantifier == '?') {
            const char *found = here ? match_here(m, s + 1, end + 1) : NULL;
            if (found)
                return found;
            p = end + 1;
            continue;
        }
        if (!here)
            return NULL;
        s++;
        p = end;
    }
    return s;
}

/* Where the match of the pattern's rest ends; NULL: none. */
static const char *match_here(matcher *m, const char *s, const char *p)
{
    if (m->depth-- == 0)
        luaL_error(m->L, "pattern too complex");
    const char *end = match_items(m, s, p);
    m->depth++;
    return end;
}

static void matcher_init(matcher *m, lua_State *L, const char *subject, size_t n, const char *pattern, size_t pn)
{
    m->L = L;
    m->subject = subject;
    m->subject_end = subject + n;
    m->pattern_end = pattern + pn;
    m->fuel = FUEL;
}

static const char *match_at(matcher *m, const char *s, const char *p)
{
    m->count = 0;
    m->depth = DEPTH;
    return match_here(m, s, p);
}

/* ---- results ---- */

static void push_capture(matcher *m, int i, const char *s, const char *e)
{
    if (i >= m->count) {
        if (i != 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
        return;
    }
    const capture *c = &m->captures[i];
    if (c->length == OPEN)
        luaL_error(m->L, "unfinished capture");
    if (c->length == POSITION)
        lua_pushinteger(m->L, c->from - m->subject + 1);
    else
        lua_pushlstring(m->L, c->from, (size_t)c->length);
}

static int push_captures(matcher *m, const char *s, const char *e)
{
    int n = m->count == 0 && s ? 1 : m->count;
    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++)
        push_capture(m, i, s, e);
    return n;
}

/* Where to begin, from 0; past the end: LEN + 1 or more. */
static size_t start_at(lua_State *L, int arg, size_t len)
{
    lua_Integer i = luaL_optinteger(L, arg, 1);
    if (i > 0)
        return (size_t)i - 1;
    if (i == 0 || i < -(lua_Integer)len)
        return 0;
    return len + (size_t)i;
}

static int find_plain(lua_State *L, const char *s, size_t n, size_t from, const char *p, size_t pn)
{
    dc_box_charge(L, 1 + (n - from) / 8);
    const char *found = pn ? memmem(s + from, n - from, p, pn) : s + from;
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - s + 1);
    lua_pushinteger(L, found - s + (lua_Integer)pn);
    return 2;
}

static bool has_specials(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] && strchr("^$*+?.([%-", p[i]))
            return true;
    return false;
}

static int find_or_match(lua_State *L, bool find)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *p = luaL_checklstring(L, 2, &pn);
    size_t from = start_at(L, 3, n);
    if (from > n) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_specials(p, pn)))
        return find_plain(L, s, n, from, p, pn);
    matcher m;
    bool anchored = pn && *p == '^';
    matcher_init(&m, L, s, n, p, pn);
    const char *at = s + from;
    do {
        const char *end = match_at(&m, at, p + anchored);
        if (end) {
            dc_box_charge(L, FUEL - m.fuel);
            if (!find)
                return push_captures(&m, at, end);
            lua_pushinteger(L, at - s + 1);
            lua_pushinteger(L, end - s);
            return push_captures(&m, NULL, NULL) + 2;
        }
    } while (at++ < m.subject_end && !anchored);
    dc_box_charge(L, FUEL - m.fuel);
    lua_pushnil(L);
    return 1;
}

static int pattern_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int pattern_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* ---- gmatch ---- */

typedef struct walk { /* upvalue 3; 1 and 2 are subject and pattern */
    size_t at, last;  /* where to look next; end of the last match */
    bool any;
} walk;

static int gmatch_next(lua_State *L)
{
    size_t n, pn;
    const char *s = lua_tolstring(L, lua_upvalueindex(1), &n), *p = lua_tolstring(L, lua_upvalueindex(2), &pn);
    walk *w = lua_touserdata(L, lua_upvalueindex(3));
    matcher m;
    matcher_init(&m, L, s, n, p, pn);
    for (; w->at <= n; w->at++) {
        const char *from = s + w->at;
        const char *end = match_at(&m, from, p);
        if (end && !(w->any && (size_t)(end - s) == w->last)) { /* not the empty match after the last one */
            w->at = w->last = (size_t)(end - s);
            w->any = true;
            dc_box_charge(L, FUEL - m.fuel);
            return push_captures(&m, from, end);
        }
    }
    return 0;
}

static int pattern_gmatch(lua_State *L)
{
    size_t n;
    luaL_checklstring(L, 1, &n);
    luaL_checkstring(L, 2);
    size_t from = start_at(L, 3, n);
    lua_settop(L, 2);
    walk *w = lua_newuserdatauv(L, sizeof *w, 0);
    w->at = from > n ? n + 1 : from;
    w->last = 0;
    w->any = false;
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

/* ---- gsub ---- */

static void add_template(matcher *m, luaL_Buffer *out, const char *s, const char *e)
{
    size_t n;
    const char *t = lua_tolstring(m->L, 3, &n), *end = t + n;
    burn(m, 1 + n);
    while (t < end) {
        if (*t != '%') {
            luaL_addchar(out, *t++);
            continue;
        }
        char c = ++t < end ? *t++ : '\0';
        if (c == '%') {
            luaL_addchar(out, c);
        } else if (c == '0') {
            luaL_addlstring(out, s, (size_t)(e - s));
        } else if (isdigit((unsigned char)c)) {
            push_capture(m, c - '1', s, e);
            luaL_tolstring(m->L, -1, NULL);
            lua_remove(m->L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
}

/* What stands for the match from s to e. */
static void add_replacement(matcher *m, luaL_Buffer *out, const char *s, const char *e, int type)
{
    lua_State *L = m->L;
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        dc_box_call(L, push_captures(m, s, e), 1);
    } else if (type == LUA_TTABLE) {
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
    } else {
        add_template(m, out, s, e);
        return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, s, (size_t)(e - s));
    } else if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    } else {
        luaL_addvalue(out);
    }
}

static int pattern_gsub(lua_State *L)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *p = luaL_checklstring(L, 2, &pn);
    int type = lua_type(L, 3);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                     "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)n + 1), done = 0;
    bool anchored = pn && *p == '^';
    const char *at = s, *last = NULL;
    luaL_Buffer out;
    matcher m;
    matcher_init(&m, L, s, n, p, pn);
    luaL_buffinit(L, &out);
    while (done < most) {
        const char *end = match_at(&m, at, p + anchored);
        if (end && end != last) {
            done++;
            add_replacement(&m, &out, at, end, type);
            at = last = end;
        } else if (at < m.subject_end) {
            luaL_addchar(&out, *at++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    luaL_addlstring(&out, at, (size_t)(m.subject_end - at));
    luaL_pushresult(&out);
    dc_box_charge(L, FUEL - m.fuel);
    lua_pushinteger(L, done);
    return 2;
}

void dc_box_patterns(lua_State *L)
{
    static const luaL_Reg own[] = { { "find", pattern_find }, { "match", pattern_match }, { "gmatch", pattern_gmatch },
                                    { "gsub", pattern_gsub }, { NULL, NULL } };
    luaL_setfuncs(L, own, 0);
}
