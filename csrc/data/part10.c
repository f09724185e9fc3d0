/* SPDX-License-Identifier: MIT */
/* The start of a Part 10 file (PS3.10 7.1), and what to make of files that lack it. */
#include <string.h>

#include "../codec/deflate.h"
#include "reading.h"

enum { META_LENGTH = 0x00020000, META_SYNTAX = 0x00020010 };

static bool has_magic(const uint8_t *p)
{
    return memcmp(p, "DICM", 4) == 0;
}

/* Guessing: does what stands at p read as ascending, known elements in this encoding? */

static bool is_known(uint32_t tag)
{
    return dc_dict_by_tag(tag) != NULL || (tag & 0x10000) != 0;
}

enum { GUESS_ELEMENTS = 4 };

/* How many of the first elements make sense: 0 for none; GUESS_ELEMENTS also when the data set ends earlier and all
   do. */
static int sense(const uint8_t *p, size_t n, uint64_t left, bool explicit_vr, bool big)
{
    dc_frame f = { .explicit_vr = explicit_vr, .big = big };
    uint32_t last = 0;
    int good = 0;
    for (size_t at = 0; good < GUESS_ELEMENTS; good++) {
        dc_header h;
        if (n - at < 12)
            return good && left - at < 12 ? GUESS_ELEMENTS : good;
        if (!dc_header_read(&f, p + at, left - at, &h) || h.repair || !is_known(h.tag) || (at && h.tag <= last))
            return good;
        if (h.length == DC_UNDEFINED_LENGTH)
            return good + 1;
        if (h.length > left - at - h.size)
            return good;
        if (h.length > n - at - h.size)
            return good + 1;
        last = h.tag;
        at += h.size + h.length;
    }
    return good;
}

typedef struct encoding {
    bool explicit_vr, big;
    int sense;
} encoding;

/* The encoding that makes most sense; of equals the preferred one. */
static encoding guess(const uint8_t *p, size_t n, uint64_t left, encoding preferred)
{
    static const encoding others[] = { { true, false, 0 }, { false, false, 0 }, { true, true, 0 } };
    encoding best = preferred;
    best.sense = sense(p, n, left, best.explicit_vr, best.big);
    for (size_t i = 0; i < sizeof others / sizeof *others && best.sense < GUESS_ELEMENTS; i++) {
        int s = sense(p, n, left, others[i].explicit_vr, others[i].big);
        if (s > best.sense) {
            best = others[i];
            best.sense = s;
        }
    }
    return best;
}

static const dc_syntax *syntax_of(encoding e)
{
    return !e.explicit_vr ? dc_syntax_implicit : e.big ? dc_syntax_explicit_big : dc_syntax_explicit;
}

enum { GUESS_BYTES = 512 };

/* Bytes to guess from: what the window holds anyway, at least 12 unless the source ends. */
static dc_status look_ahead(dc_reader *r, const uint8_t **p, size_t *n)
{
    uint64_t left = r->size - r->pos;
    *n = left < GUESS_BYTES ? (size_t)left : GUESS_BYTES;
    *p = dc_reader_look(r, *n);
    return *p ? DC_OK : DC_MORE;
}

/* The start. */

static dc_status start_meta(dc_reader *r, const uint8_t *first, size_t n)
{
    dc_status st = dc_walk_open(r, &r->o->meta, r->size);
    if (st)
        return st;
    r->frames[0].is_meta = 1;
    r->phase = DC_PHASE_META;
    if (n >= 8 && dc_get16(first, false) == 2 && dc_vr_find(first + 4) == DC_VR_NONE) {
        r->frames[0].explicit_vr = 0;
        st = dc_reader_mend(r, NULL, "file meta without VRs (PS3.10 7.1)", META_LENGTH, r->pos);
    }
    return st;
}

static dc_status start_bare(dc_reader *r, const uint8_t *p, size_t n)
{
    encoding first = { false, false, 0 };
    encoding e = guess(p, n, r->size - r->pos, first);
    if (e.sense < 2)
        return dc_reader_fail(r, DC_E_NOT_DICOM, 0, 0);
    r->o->syntax = syntax_of(e);
    dc_status st = dc_reader_mend(r, NULL, "no preamble and no file meta: the encoding is guessed (PS3.10 7.1)", 0, 0);
    r->o->begin = r->pos;
    r->phase = DC_PHASE_BODY;
    return st ? st : dc_walk_open(r, &r->o->root, r->size);
}

/* "DICM" may stand in the values of a bare data set: a meta or a data set follows where it means something. */
static bool is_chance(const dc_reader *r, const uint8_t *p, size_t n)
{
    encoding first = { false, false, 0 };
    if (n < 144 || dc_get16(p + 132, false) == 2)
        return false;
    return guess(p, n, r->size, first).sense > guess(p + 132, n - 132, r->size - 132, first).sense;
}

dc_status dc_part10_start(dc_reader *r)
{
    const uint8_t *p;
    size_t n;
    if (r->options.syntax) {
        r->o->syntax = r->options.syntax;
        r->phase = DC_PHASE_BEGIN;
        return DC_OK;
    }
    dc_status st = look_ahead(r, &p, &n);
    if (st)
        return st;
    if (n >= 132 && has_magic(p + 128) && !is_chance(r, p, n)) {
        r->pos = 132;
        return start_meta(r, p + 132, n - 132);
    }
    if (n >= 8 && has_magic(p)) {
        r->pos = 4;
        st = dc_reader_mend(r, NULL, "no preamble (PS3.10 7.1)", 0, 0);
        return st ? st : start_meta(r, p + 4, n - 4);
    }
    if (n >= 8 && dc_get16(p, false) == 2 && is_known(DC_TAG(2, dc_get16(p + 2, false)))) {
        st = dc_reader_mend(r, NULL, "no preamble (PS3.10 7.1)", 0, 0);
        return st ? st : start_meta(r, p, n);
    }
    return start_bare(r, p, n);
}

/* After the meta. */

static dc_status check_group_length(dc_reader *r)
{
    const dc_dataset *meta = &r->o->meta;
    if (meta->count == 0)
        return dc_reader_mend(r, NULL, "no file meta (PS3.10 7.1)", META_LENGTH, r->pos);
    const dc_element *e = dc_dataset_find(meta, META_LENGTH);
    if (!e || e->hold != DC_HOLD_BYTES || e->length != 4)
        return dc_reader_mend(r, NULL, "file meta without its length (PS3.10 7.1)", META_LENGTH, r->pos);
    if (e->at + dc_element_header(e) + 4 + dc_get32(e->u.bytes, false) != r->pos)
        return dc_reader_mend(r, NULL, "length of the file meta is wrong (PS3.10 7.1)", META_LENGTH, e->at);
    return DC_OK;
}

/* A transfer syntax that no table knows keeps its UID: its files can be read, copied and sent as they are. */
static const dc_syntax *unknown_syntax(dc_reader *r, dc_span uid, const dc_syntax *like)
{
    dc_syntax *s = dc_arena_zero(&r->o->arena, sizeof *s);
    if (!s)
        return NULL;
    *s = *like;
    s->uid = dc_arena_text(&r->o->arena, uid.ptr, uid.len);
    s->keyword = "";
    s->name = s->uid;
    s->encapsulated = 1;
    s->compression = DC_COMPRESSION_OTHER;
    return s->uid ? s : NULL;
}

static dc_span declared_uid(const dc_object *o)
{
    const dc_element *e = dc_dataset_find(&o->meta, META_SYNTAX);
    dc_span uid = e && e->hold == DC_HOLD_BYTES ? dc_span_make(e->u.bytes, (size_t)e->length) : dc_span_make(NULL, 0);
    const uint8_t *zero = uid.len ? memchr(uid.ptr, 0, uid.len) : NULL;
    if (zero)
        uid.len = (size_t)(zero - uid.ptr);
    while (uid.len && uid.ptr[uid.len - 1] == ' ')
        uid.len--;
    return uid;
}

static dc_status declare(dc_reader *r, const uint8_t *p, size_t n)
{
    dc_span uid = declared_uid(r->o);
    const dc_syntax *known = uid.len ? dc_syntax_find(uid) : NULL;
    if (known) {
        r->o->syntax = known;
        return DC_OK;
    }
    encoding first = { true, false, 0 };
    const dc_syntax *guessed = syntax_of(guess(p, n, r->size - r->pos, first));
    if (uid.len == 0) {
        r->o->syntax = guessed;
        if (r->o->meta.count == 0)
            return DC_OK;
        return dc_reader_mend(r, NULL, "file meta without transfer syntax: guessed (PS3.10 7.1)", META_SYNTAX, r->pos);
    }
    const dc_syntax *made = unknown_syntax(r, uid, guessed);
    if (!made)
        return DC_E_MEMORY;
    r->o->syntax = made;
    return dc_reader_mend(r, NULL, "transfer syntax is not known (PS3.5 10)", META_SYNTAX, r->pos);
}

/* Is the data set in the encoding that was declared? Elements that alone are not are header.c's concern. */
static dc_status check_encoding(dc_reader *r, const uint8_t *p, size_t n)
{
    const dc_syntax *s = r->o->syntax;
    encoding declared = { s->explicit_vr != 0, s->big_endian != 0, 0 };
    dc_frame *f = &r->frames[0];
    if (n < 8)
        return DC_OK;
    encoding found = guess(p, n, r->size - r->pos, declared);
    if (found.explicit_vr == declared.explicit_vr && found.big == declared.big)
        return DC_OK;
    if (s->encapsulated || s->deflated) { /* its row stays: fragments need it. All elements are then written anew */
        dc_dataset_flaw(&r->o->root);
        r->o->recoded = true;
    } else {
        r->o->syntax = syntax_of(found);
    }
    f->explicit_vr = found.explicit_vr;
    f->big = found.big;
    return dc_reader_mend(r, NULL, "data set is not in the transfer syntax of its file meta (PS3.10 7.1)", META_SYNTAX,
                          r->pos);
}

dc_status dc_part10_begin(dc_reader *r)
{
    const uint8_t *p;
    size_t n;
    dc_status st = look_ahead(r, &p, &n);
    if (st)
        return st;
    if (r->phase == DC_PHASE_BEGIN && !r->options.syntax) {
        st = check_group_length(r);
        if (st == DC_OK)
            st = declare(r, p, n);
        if (st)
            return st;
    }
    if (r->o->syntax->deflated && r->phase == DC_PHASE_BEGIN) {
        r->phase = DC_PHASE_INFLATE;
        return DC_OK;
    }
    r->o->begin = r->pos;
    r->phase = DC_PHASE_BODY;
    st = dc_walk_open(r, &r->o->root, r->size);
    return st ? st : check_encoding(r, p, n);
}
