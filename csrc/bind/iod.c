/* SPDX-License-Identifier: MIT */
/* Kinds of object: ds.iod, ds:type_of, ds:validate, and type_of without a data set. */
#include "core.h"
#include "../data/iod.h"
#include "values.h"

/* --- types --------------------------------------------------------------------------------------------------------- */

typedef struct tags {
    uint32_t list[DC_IOD_DEPTH];
    size_t count;
} tags;

static void add_tag(lua_State *L, tags *t, uint32_t tag)
{
    if (t->count == DC_IOD_DEPTH)
        dc_kit_usage(L, "the path is longer than %d tags", DC_IOD_DEPTH);
    t->list[t->count++] = tag;
}

static uint32_t check_tag(lua_State *L, int index)
{
    lua_Integer v = lua_tointeger(L, index);
    if (!lua_isinteger(L, index) || v < 0 || v > UINT32_MAX)
        dc_kit_usage(L, "a tag is an integer from 0 to 0xFFFFFFFF");
    return (uint32_t)v;
}

static void take_tags(lua_State *L, int arg, tags *t)
{
    lua_Unsigned n = lua_rawlen(L, arg);
    for (lua_Unsigned i = 1; i <= n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i);
        add_tag(L, t, check_tag(L, -1));
        lua_pop(L, 1);
    }
}

/* What follows "[2]". */
static const char *after_bracket(lua_State *L, const char *s, int arg)
{
    const char *close = strchr(s, ']');
    if (close)
        return close + 1;
    dc_kit_usage(L, "path '%s': a ] is missing", lua_tostring(L, arg));
    return s;
}

/* "Seq[2].CodeValue", "Seq.CodeValue": which item it is does not matter. */
static void take_path(lua_State *L, const dc_dataset *ds, int arg, tags *t)
{
    size_t n;
    const char *s = lua_tolstring(L, arg, &n), *end = s + n;
    while (s <= end) {
        dc_key key;
        size_t length = strcspn(s, ".[");
        if (!dc_keyword_key(s, length, &key) && !dc_tag_key(ds, s, length, &key))
            dc_unknown_key(L, s, length);
        add_tag(L, t, key.tag);
        s += length;
        if (*s == '[')
            s = after_bracket(L, s, arg);
        if (s == end)
            return;
        if (*s++ != '.')
            dc_kit_usage(L, "path '%s': a . is missing", lua_tostring(L, arg));
    }
}

static void take_key(lua_State *L, const dc_dataset *ds, int arg, tags *t)
{
    if (lua_type(L, arg) == LUA_TTABLE)
        take_tags(L, arg, t);
    else if (lua_type(L, arg) == LUA_TSTRING)
        take_path(L, ds, arg, t);
    else
        add_tag(L, t, check_tag(L, arg));
}

/* The way from the root to an item. */
static void add_place(lua_State *L, tags *t, const dc_dataset *ds)
{
    uint32_t above[DC_IOD_DEPTH];
    size_t n = 0;
    for (; ds->parent && n < DC_IOD_DEPTH; ds = ds->parent)
        above[n++] = ds->parent_tag;
    if (ds->parent)
        dc_kit_usage(L, "the path is longer than %d tags", DC_IOD_DEPTH);
    while (n > 0)
        add_tag(L, t, above[--n]);
}

static int push_answer(lua_State *L, const dc_iod *iod, const dc_dataset *root, const tags *t)
{
    static const char *const usages[] = { "M", "C", "U" };
    dc_iod_answer a;
    if (!iod || !dc_iod_type(iod, root, t->list, t->count, &a)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, dc_iod_type_name(a.type));
    lua_pushstring(L, dc_iod_module_name(a.module));
    lua_pushstring(L, usages[a.usage]);
    return 3;
}

/* iod_type(sop_class, tag or {tags}): type, module, usage of the module; nil when the IOD does not know it. */
static int core_iod_type(lua_State *L)
{
    size_t n;
    tags t = { { 0 }, 0 };
    const char *uid = luaL_checklstring(L, 1, &n);
    if (lua_type(L, 2) == LUA_TTABLE)
        take_tags(L, 2, &t);
    else
        add_tag(L, &t, check_tag(L, 2));
    return push_answer(L, dc_iod_find(dc_span_make(uid, n)), NULL, &t);
}

/* iod_name(sop_class) */
static int core_iod_name(lua_State *L)
{
    size_t n;
    const char *uid = luaL_checklstring(L, 1, &n);
    const dc_iod *iod = dc_iod_find(dc_span_make(uid, n));
    lua_pushstring(L, iod ? dc_iod_name(iod) : NULL);
    return 1;
}

int dc_dataset_method_type_of(lua_State *L)
{
    tags t = { { 0 }, 0 };
    const dc_dataset *ds = dc_check_dataset(L, 1);
    add_place(L, &t, ds);
    take_key(L, ds, 2, &t);
    return push_answer(L, dc_iod_of(ds->object), &ds->object->root, &t);
}

void dc_push_iod(lua_State *L, const dc_object *o)
{
    const dc_iod *iod = dc_iod_of(o);
    lua_pushstring(L, iod ? dc_iod_name(iod) : NULL);
}

/* --- findings ------------------------------------------------------------------------------------------------------ */

static uint32_t index_of(const dc_dataset *item)
{
    const dc_element *e = dc_dataset_find(item->parent, item->parent_tag);
    uint32_t n = e && e->hold == DC_HOLD_ITEMS ? e->u.items->count : 0;
    for (uint32_t i = 0; i < n; i++)
        if (e->u.items->list[i] == item)
            return i;
    return 0;
}

/* "Seq[2].CodeValue": the steps are pushed from the innermost outwards, each with the text so far behind it. */
static void push_path(lua_State *L, const dc_dataset *ds, uint32_t tag)
{
    dc_push_key(L, tag, dc_dataset_entry(ds, tag));
    for (; ds->parent; ds = ds->parent) {
        dc_push_key(L, ds->parent_tag, dc_dataset_entry(ds->parent, ds->parent_tag));
        lua_pushfstring(L, "%s[%d].%s", lua_tostring(L, -1), (int)index_of(ds) + 1, lua_tostring(L, -2));
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
}

static void push_module_rule(lua_State *L, const dc_finding *f, const char *what)
{
    int section = (f->type & 3) * 2 - ((f->type & DC_TYPE_CONDITIONAL) == 0); /* 1: 7.4.1, 1C: 7.4.2, 2: 7.4.3, ... */
    lua_pushfstring(L, "%s: Type %s in the %s Module (PS3.3, PS3.5 7.4.%d)", what, dc_iod_type_name(f->type),
                    dc_iod_module_name(f->module), section);
}

static void push_items_text(lua_State *L, const dc_finding *f)
{
    int least = f->items >> 4, most = f->items & 15;
    lua_pushfstring(L, "%d item%s, where the %s Module has %d", (int)f->number, f->number == 1 ? "" : "s",
                    dc_iod_module_name(f->module), least);
    if (most == 0)
        lua_pushfstring(L, "%s or more (PS3.3)", lua_tostring(L, -1));
    else if (most == least)
        lua_pushfstring(L, "%s (PS3.3)", lua_tostring(L, -1));
    else
        lua_pushfstring(L, "%s to %d (PS3.3)", lua_tostring(L, -1), most);
    lua_remove(L, -2);
}

/* "UI", "US or SS", "OB or OW" */
static const char *vr_name(uint8_t vr)
{
    static const char *const several[] = { "US or SS", "OB or OW", "US or OW", "US, SS or OW" };
    return vr < DC_VR_COUNT ? dc_vr_rows[vr].name : several[vr - DC_VR_COUNT];
}

static void push_vm(lua_State *L, const dc_dict_entry *e)
{
    if (e->vm_max == e->vm_min)
        lua_pushfstring(L, "%d", e->vm_min);
    else if (e->vm_max)
        lua_pushfstring(L, "%d-%d", e->vm_min, e->vm_max);
    else if (e->vm_step > 1)
        lua_pushfstring(L, "%d-%dn", e->vm_min, e->vm_step);
    else
        lua_pushfstring(L, "%d-n", e->vm_min);
}

static void push_vm_text(lua_State *L, const dc_finding *f)
{
    push_vm(L, dc_dict_by_tag(f->tag));
    const char *s = f->number == 1 ? "" : "s";
    lua_pushfstring(L, "%d value%s, where PS3.6 has %s", (int)f->number, s, lua_tostring(L, -1));
    lua_remove(L, -2);
}

static void push_vr_text(lua_State *L, const dc_finding *f)
{
    if (f->rule)
        lua_pushfstring(L, "VR %s: %s", dc_vr_rows[f->vr].name, f->rule);
    else
        lua_pushfstring(L, "VR %s, where PS3.6 has %s", dc_vr_rows[f->vr].name, vr_name(dc_dict_by_tag(f->tag)->vr));
}

static void push_value_text(lua_State *L, const dc_finding *f, const char *what)
{
    if (f->rule)
        lua_pushstring(L, f->rule);
    else
        lua_pushfstring(L, "value %d %s %s (PS3.5 6.2)", (int)f->number, what, dc_vr_rows[f->vr].name);
}

static void push_enumerated_text(lua_State *L, const dc_finding *f)
{
    luaL_gsub(L, dc_iod_set(f->set), "\\", ", ");
    lua_pushfstring(L, "value %d is none of those of the %s Module: %s (PS3.3)", (int)f->number,
                    dc_iod_module_name(f->module), lua_tostring(L, -1));
    lua_remove(L, -2);
}

static void push_text(lua_State *L, const dc_finding *f)
{
    switch ((dc_finding_code)f->code) {
    case DC_FINDING_MISSING: push_module_rule(L, f, "is missing"); break;
    case DC_FINDING_EMPTY: push_module_rule(L, f, "has no value"); break;
    case DC_FINDING_ITEMS: push_items_text(L, f); break;
    case DC_FINDING_VR: push_vr_text(L, f); break;
    case DC_FINDING_VM: push_vm_text(L, f); break;
    case DC_FINDING_LENGTH: push_value_text(L, f, "is longer than"); break;
    case DC_FINDING_VALUE: push_value_text(L, f, "does not have the form of"); break;
    case DC_FINDING_ENUMERATED: push_enumerated_text(L, f); break;
    case DC_FINDING_REPAIR: lua_pushstring(L, f->rule); break;
    case DC_FINDING_UNKNOWN: lua_pushliteral(L, "names no SOP Class whose IOD is known: modules are not checked"); break;
    }
}

static const char *code_of(uint8_t code)
{
    static const char *const names[] = {
        "missing", "empty", "bad items", "bad vr", "bad vm", "bad length", "bad value", "bad value", "repaired",
        "unknown sop class",
    };
    return names[code];
}

static void set_string(lua_State *L, const char *field, const char *s)
{
    lua_pushstring(L, s);
    lua_setfield(L, -2, field);
}

static void push_finding(lua_State *L, const dc_finding *f)
{
    bool warning = f->code == DC_FINDING_UNKNOWN;
    lua_createtable(L, 0, 7);
    if (f->tag) {
        lua_pushinteger(L, f->tag);
        lua_setfield(L, -2, "tag");
    }
    if (f->code != DC_FINDING_REPAIR) { /* reading remembers the tag alone */
        push_path(L, f->ds, f->tag);
        lua_setfield(L, -2, "path");
    }
    set_string(L, "code", code_of(f->code));
    set_string(L, "severity", warning ? "warning" : "error");
    if (f->type)
        set_string(L, "type", dc_iod_type_name(f->type));
    if (f->module != DC_FINDING_NO_MODULE)
        set_string(L, "module", dc_iod_module_name(f->module));
    push_text(L, f);
    lua_setfield(L, -2, "text");
}

int dc_dataset_method_validate(lua_State *L)
{
    const dc_dataset *ds = dc_check_dataset(L, 1);
    const dc_object *o = ds->object;
    if (ds != &o->root)
        return dc_kit_usage(L, "a whole data set is validated, not an item or the file meta");
    lua_settop(L, 1);
    dc_buf *findings = dc_bind_buf(L);
    dc_status st = dc_validate(o, findings);
    if (st || findings->failed)
        return dc_kit_fail(L, st ? st : DC_E_MEMORY, 0, UINT64_MAX, NULL);
    const dc_finding *f = (const dc_finding *)(const void *)findings->ptr;
    lua_Integer n = (lua_Integer)(findings->len / sizeof *f);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 0; i < n; i++) {
        push_finding(L, &f[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

void dc_open_iod(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "iod_type", core_iod_type }, { "iod_name", core_iod_name }, { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
