/* SPDX-License-Identifier: MIT */
/* Between the files that make data sets look like tables: keys, reading, writing, views. */
#ifndef DC_BIND_VALUES_H
#define DC_BIND_VALUES_H

#include "../base/buf.h"
#include "../data/charset.h"
#include "../data/value.h"
#include "dataset.h"

#define DC_LIST "dicom.list"
#define DC_SEQUENCE "dicom.sequence"

/* Takes back items that were inserted when what follows raises: a userdata that is closed on the way out. */
typedef struct dc_guard {
    dc_dataset *ds; /* set to NULL when all went well */
    uint32_t tag, from, count;
    bool whole;     /* the sequence is new, too */
} dc_guard;

/* Where a key leads: a keyword, a tag, "gggg,eeee", or a path through sequences. */
typedef struct dc_key {
    dc_dataset *ds;             /* holds the element, or would; NULL: the path goes through something absent */
    uint32_t tag;               /* 0: the path ends at the item `ds` itself */
    const dc_dict_entry *entry; /* NULL: in no dictionary */
    dc_guard *made;             /* what a path created; NULL: nothing */
} dc_key;

/* What reading one element needs; `bytes` are those of `vr`. */
typedef struct dc_reading {
    const dc_dataset *ds;
    const dc_element *e;
    const dc_dict_entry *entry;
    dc_vr want;      /* decides the Lua type */
    dc_vr vr;        /* decides how bytes become values */
    bool big;
    bool typed;      /* `want` comes from a dictionary */
    bool single;     /* and its VM is 1 */
    bool cs_known;   /* `cs` is filled: only bytes beyond plain ASCII ask for it */
    dc_charset cs;
    dc_span bytes;
} dc_reading;

DC_BEGIN
/* A growing buffer in a userdata, pushed: an error raised while it is in use leaves nothing behind. */
dc_buf *dc_bind_buf(lua_State *L);

/* key.c. Raises on an unknown keyword or a malformed path. `create`: makes the items on the way that are absent. */
void dc_check_key(lua_State *L, dc_dataset *ds, int arg, bool create, dc_key *key);
bool dc_keyword_key(const char *s, size_t n, dc_key *key);        /* a keyword? ds is left alone */
bool dc_tag_key(const dc_dataset *ds, const char *s, size_t n, dc_key *key); /* "gggg,eeee", "ggggeeee"? */
int dc_unknown_key(lua_State *L, const char *s, size_t n);        /* raises, naming the nearest keyword */
void dc_check_group(lua_State *L, const dc_key *key);             /* raises for group 0000, 0002 on a data set, ... */
const char *dc_keyword_of(uint32_t tag, const dc_dict_entry *entry); /* that leads back to this tag; "" otherwise */
void dc_push_key(lua_State *L, uint32_t tag, const dc_dict_entry *entry); /* the keyword, else "gggg,eeee" */

/* element.c */
void dc_reading_init(dc_reading *r, const dc_dataset *ds, const dc_element *e, const dc_dict_entry *entry);
dc_status dc_reading_load(lua_State *L, dc_reading *r);           /* fills bytes; pushes one value that keeps them */
uint32_t dc_reading_count(dc_reading *r);
dc_multibyte dc_reading_multibyte(dc_reading *r); /* how a backslash of these bytes is told from half a character */
dc_status dc_reading_push(lua_State *L, dc_reading *r, uint32_t n); /* the n-th value from 0; nothing on failure */
dc_status dc_reading_push_text(lua_State *L, dc_reading *r, dc_span s); /* a value of a string VR that was found */
dc_status dc_reading_push_all(lua_State *L, dc_reading *r);         /* a plain list; "" for an empty number */
dc_status dc_push_element(lua_State *L, const dc_key *key, int view); /* as the table of values says; view: of the data set */
dc_status dc_push_text(lua_State *L, const dc_key *key);          /* the characters */
dc_status dc_push_values(lua_State *L, const dc_key *key);        /* a plain list */
dc_status dc_push_raw(lua_State *L, const dc_key *key);           /* the bytes */
void dc_push_description(lua_State *L, const dc_dataset *ds, const dc_element *e); /* a plain table */

/* pack.c: one value, little endian or UTF-8, in `scratch` or in the Lua string itself. */
enum { DC_PACK_SIZE = 32 };
dc_span dc_pack(lua_State *L, const dc_key *key, dc_vr vr, int value, uint8_t *scratch);
int dc_wrong_type(lua_State *L, const dc_key *key, dc_vr vr, int value);             /* raises "usage" */
int dc_bad_value(lua_State *L, const dc_key *key, dc_vr vr, const char *rule);       /* raises "bad value" */

/* assign.c. vr: DC_VR_NONE for the dictionary's. Raises on misuse and on values without the form of their VR. */
void dc_assign(lua_State *L, const dc_key *key, int value, dc_vr vr);
void dc_assign_key(lua_State *L, const dc_key *key, int value, dc_vr vr); /* keeps what the path made */
void dc_assign_table(lua_State *L, dc_dataset *ds, int table);  /* each pair of a plain table */
dc_vr dc_assign_vr(lua_State *L, const dc_key *key, dc_vr vr);
dc_vr dc_check_vr(lua_State *L, int arg);
void dc_store(lua_State *L, const dc_key *key, dc_vr vr, dc_span packed); /* values that dc_pack made, joined */
void dc_push_failure(lua_State *L, const dc_dataset *ds, dc_status st, uint32_t tag);
int dc_raise_at(lua_State *L, const dc_dataset *ds, dc_status st, uint32_t tag);

/* list.c, sequence.c: views. `view` is the stack index of the data set they belong to. */
void dc_push_list(lua_State *L, int view, uint32_t tag, const dc_dict_entry *entry);
void dc_push_sequence(lua_State *L, int view, uint32_t tag);
void dc_assign_sequence(lua_State *L, const dc_key *key, int value);
void dc_fill_item(lua_State *L, dc_dataset *item, int value);        /* a data set or a table, all or nothing */
const dc_dataset *dc_list_source(lua_State *L, int arg, uint32_t *tag); /* NULL when it is no list */
dc_guard *dc_push_guard(lua_State *L, dc_dataset *ds, uint32_t tag, uint32_t from);
dc_dataset *dc_view_node(lua_State *L, const dc_dataset_view *view); /* raises when it is closed or gone */
dc_dataset_view *dc_test_dataset(lua_State *L, int arg);             /* NULL when it is none */
void dc_remove_item(lua_State *L, dc_dataset *item);

/* object.c: tables of options; functions that dataset.c lists. */
void dc_check_fields(lua_State *L, int table, const char *const *known, const char *what); /* raises on others */
const dc_syntax *dc_check_syntax(lua_State *L, int table); /* field syntax, a UID or keyword; NULL: absent */
bool dc_check_flag(lua_State *L, int table, const char *name);
int dc_core_new(lua_State *L);
int dc_dataset_method_copy(lua_State *L);

/* iod.c: the same, and ds.iod. */
int dc_dataset_method_type_of(lua_State *L);
int dc_dataset_method_validate(lua_State *L);
void dc_push_iod(lua_State *L, const dc_object *o);
DC_END

#endif
