/* SPDX-License-Identifier: MIT */
/* Which fragments are which frame's (PS3.5 A.4): what the number of fragments forces, else the offset tables, else the
   codestreams themselves, each of which begins with a marker. */
#include <stdlib.h>
#include <string.h>

#include "grouping.h"

enum { HEAD = 12, TAIL = 16 };

typedef struct grouping {
    dc_frames *f;
    dc_dataset *ds;
    const dc_element *e;
    const dc_fragment *list; /* [0] is the Basic Offset Table */
    uint32_t count;          /* without it */
    uint64_t *offsets;       /* [i]: of fragment i's item from the first one's; [0] unused, [count + 1] the end */
    uint64_t *entries;       /* the offset table's */
    uint64_t *lengths;       /* the Extended Offset Table's, or NULL */
    uint64_t entry_count;
} grouping;

static dc_status note(const grouping *g, const char *what)
{
    return dc_frames_note(g->ds, g->e, what);
}

static dc_status load(const grouping *g, const dc_fragment *from, uint64_t at, uint8_t *to, size_t n)
{
    dc_source *s = g->ds->object->source;
    if (from->bytes || n == 0) {
        if (n)
            memcpy(to, from->bytes + at, n);
        return DC_OK;
    }
    return s->read_at(s, from->offset + at, to, n);
}

/* Codestreams. */

static bool begins(const uint8_t *p, const char *with, size_t n)
{
    return memcmp(p, with, n) == 0;
}

/* A header of RLE: how many segments there are, where each begins; the first one after the 64 bytes (PS3.5 G.5). */
static bool is_rle(const uint8_t *p)
{
    uint32_t segments = dc_get32(p, false), second = dc_get32(p + 8, false);
    return segments >= 1 && segments <= 15 && dc_get32(p + 4, false) == 64 && (segments == 1 ? second == 0 : second >= 64);
}

/* The first bytes of a codestream: JPEG and JPEG-LS, JPEG 2000 bare and in a box, JPEG XL bare and in a box, RLE. */
static int family_of(const grouping *g, const uint8_t *p)
{
    if (begins(p, "\xFF\xD8\xFF", 3))
        return 1;
    if (begins(p, "\xFF\x4F\xFF\x51", 4))
        return 2;
    if (begins(p, "\0\0\0\x0CjP  ", 8))
        return 3;
    if (begins(p, "\xFF\x0A", 2))
        return 4;
    if (begins(p, "\0\0\0\x0CJXL ", 8))
        return 5;
    return g->ds->object->syntax->compression == DC_COMPRESSION_RLE && is_rle(p) ? 6 : 0;
}

static dc_status look_head(const grouping *g, uint32_t i, int *family)
{
    uint8_t head[HEAD] = { 0 };
    const dc_fragment *f = &g->list[i];
    dc_status st = load(g, f, 0, head, f->length < HEAD ? f->length : HEAD);
    *family = family_of(g, head);
    return st;
}

/* JPEG and JPEG 2000 end with the same marker; padding may follow it. */
static dc_status look_tail(const grouping *g, uint32_t i, bool *ends)
{
    uint8_t tail[TAIL];
    const dc_fragment *f = &g->list[i];
    size_t n = f->length < TAIL ? f->length : TAIL;
    dc_status st = load(g, f, f->length - n, tail, n);
    while (n && tail[n - 1] == 0)
        n--;
    *ends = n >= 2 && tail[n - 2] == 0xFF && tail[n - 1] == 0xD9;
    return st;
}

/* Places. */

static void place(const grouping *g, uint32_t n, uint32_t first, uint32_t end)
{
    dc_frame_place *p = &g->f->places[n];
    p->flaw = DC_OK;
    p->first = first;
    p->count = end - first;
    p->length = g->offsets[end] - g->offsets[first] - UINT64_C(8) * p->count;
}

static void one_each(const grouping *g)
{
    for (uint32_t i = 0; i < g->f->known; i++)
        place(g, i, i + 1, i + 2);
}

/* Codestreams tell where frames begin. `marks` has two bits a fragment: begins one, ends one. */
enum { BEGINS = 1, ENDS = 2 };

static dc_status mark(const grouping *g, uint8_t *marks)
{
    int first = 0, family;
    for (uint32_t i = 1; i <= g->count; i++) {
        bool ends = false;
        dc_status st = look_head(g, i, &family);
        if (st == DC_OK && first <= 2)
            st = look_tail(g, i, &ends);
        if (st)
            return st;
        first = i == 1 ? family : first;
        marks[i] = (uint8_t)((family && family == first ? BEGINS : 0) | (ends || first > 2 ? ENDS : 0));
    }
    return DC_OK;
}

/* Does fragment i begin a frame? A marker after an end is sure; without one it might be a picture in a picture. */
static bool is_first(const uint8_t *marks, uint32_t i, bool sure)
{
    return i == 1 ? marks[1] & BEGINS : marks[i] & BEGINS && (!sure || marks[i - 1] & ENDS);
}

static uint32_t count_first(const grouping *g, const uint8_t *marks, bool sure)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i <= g->count; i++)
        n += is_first(marks, i, sure);
    return n;
}

static void place_marked(const grouping *g, const uint8_t *marks, bool sure)
{
    uint32_t n = 0, first = 1;
    for (uint32_t i = 2; i <= g->count + 1 && n < g->f->known; i++)
        if (i > g->count || is_first(marks, i, sure)) {
            place(g, n++, first, i);
            first = i;
        }
}

static dc_status by_codestreams(const grouping *g)
{
    uint8_t *marks = calloc((size_t)g->count + 1, 1);
    dc_status st = marks ? mark(g, marks) : DC_E_MEMORY;
    if (st == DC_OK && marks[1] & BEGINS) {
        bool sure = count_first(g, marks, true) == g->f->count || count_first(g, marks, false) != g->f->count;
        uint32_t found = count_first(g, marks, sure);
        if (found != g->f->count)
            st = note(g, "Number of Frames is not what the pixel data holds (PS3.3 C.7.6.6.1.1)");
        if (found < g->f->known)
            g->f->known = found;
        place_marked(g, marks, sure);
    }
    free(marks);
    return st;
}

/* Offset tables. */

/* The fragment whose item begins at this offset; 0: none. */
static uint32_t fragment_at(const grouping *g, uint64_t offset)
{
    uint32_t low = 1, high = g->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->offsets[mid] < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return g->count && g->offsets[low] == offset ? low : 0;
}

/* Where each entry leads: places[n].first, 0 for a bad one, which moves no other. */
static bool follow(const grouping *g)
{
    uint32_t last = 0;
    bool good = g->entry_count == g->f->count;
    for (uint32_t n = 0; n < g->f->known; n++) {
        uint32_t k = n < g->entry_count ? fragment_at(g, g->entries[n]) : 0;
        if (k <= last)
            k = 0;
        good = good && k;
        last = k ? k : last;
        g->f->places[n].first = k;
        g->f->places[n].flaw = DC_E_OFFSETS;
    }
    return good;
}

/* The first fragment of the next frame that has one; `next` is that frame. */
static uint32_t next_first(const grouping *g, uint32_t n, uint32_t *next)
{
    for (*next = n + 1; *next < g->f->known; ++*next)
        if (g->f->places[*next].first)
            return g->f->places[*next].first;
    return g->count + 1;
}

/* The last byte of a fragment may be padding. */
static bool is_length(uint64_t sum, uint64_t want)
{
    return sum == want || (sum == want + 1 && sum % 2 == 0);
}

/* With lengths a frame ends where they say. */
static bool end_by_length(const grouping *g, uint32_t n)
{
    dc_frame_place *p = &g->f->places[n];
    uint64_t sum = 0, want = g->lengths[n];
    uint32_t next, end = next_first(g, n, &next);
    for (uint32_t i = p->first; i < end && sum < want; i++) {
        sum += g->list[i].length;
        if (is_length(sum, want)) {
            place(g, n, p->first, i + 1);
            p->length = want;
            return true;
        }
    }
    return false;
}

/* The end of a frame whose next entries are bad: before the fragment that begins the next codestream, unless there are
   as many fragments as frames. 0: cannot be told. */
static dc_status end_in_gap(const grouping *g, uint32_t first, uint32_t end, uint32_t frames, uint32_t *out)
{
    int own, family;
    *out = end - first == frames ? first + 1 : 0;
    if (*out)
        return DC_OK;
    dc_status st = look_head(g, first, &own);
    for (uint32_t i = first + 1; own && i < end && st == DC_OK; i++) {
        st = look_head(g, i, &family);
        if (st == DC_OK && family == own) {
            *out = i;
            return DC_OK;
        }
    }
    return st;
}

static dc_status end_by_next(const grouping *g, uint32_t n)
{
    uint32_t next, known = g->f->known, end = next_first(g, n, &next);
    dc_status st = DC_OK;
    bool last = next == known && known == g->f->count;
    if (next != n + 1 || (next == known && !last))
        st = end_in_gap(g, g->f->places[n].first, end, next - n, &end);
    if (st == DC_OK && end)
        place(g, n, g->f->places[n].first, end);
    return st;
}

static dc_status by_table(const grouping *g)
{
    dc_status st = DC_OK;
    bool good = follow(g);
    for (uint32_t n = 0; n < g->f->known && st == DC_OK; n++) {
        if (!g->f->places[n].first || (g->lengths && end_by_length(g, n)))
            continue;
        good = good && !g->lengths;
        st = end_by_next(g, n);
    }
    g->f->has_extended = good && g->lengths;
    g->f->has_basic = good && !g->lengths;
    return st || good ? st : note(g, "offset table does not lead to every frame (PS3.5 A.4)");
}

/* As many fragments as frames leave one way to share them out, whatever a table says; an Extended one may tell padding
   from data. */
static dc_status by_number(const grouping *g)
{
    bool good = g->entry_count == g->f->count || g->entry_count == 0;
    one_each(g);
    for (uint32_t n = 0; n < g->f->known && n < g->entry_count; n++) {
        dc_frame_place *p = &g->f->places[n];
        good = good && g->entries[n] == g->offsets[n + 1] && (!g->lengths || is_length(p->length, g->lengths[n]));
        if (g->lengths && is_length(p->length, g->lengths[n]))
            p->length = g->lengths[n];
    }
    g->f->has_extended = good && g->lengths;
    g->f->has_basic = good && g->entry_count && !g->lengths;
    return good ? DC_OK : note(g, "offset table does not fit the fragments: each is a frame (PS3.5 A.4)");
}

/* Compressions whose frames are one fragment each (PS3.5 A.4.2, A.4.11, A.4.13). */
static bool is_one_each(const dc_syntax *s)
{
    return s->compression == DC_COMPRESSION_RLE || s->compression == DC_COMPRESSION_NONE ||
           s->compression == DC_COMPRESSION_DEFLATED_FRAMES;
}

static dc_status by_rule(const grouping *g)
{
    one_each(g);
    return note(g, "fewer fragments than frames (PS3.5 A.4)");
}

static dc_status by_whole(const grouping *g)
{
    place(g, 0, 1, g->count + 1);
    if (g->lengths && g->entry_count == 1 && g->entries[0] == 0)
        g->f->has_extended = end_by_length(g, 0);
    g->f->has_basic = !g->lengths && g->entry_count == 1 && g->entries[0] == 0;
    return g->entry_count == 0 || g->f->has_basic || g->f->has_extended
               ? DC_OK : note(g, "offset table does not fit the only frame (PS3.5 A.4)");
}

static dc_status group(const grouping *g)
{
    if (g->f->count > 1 && g->ds->object->syntax->compression == DC_COMPRESSION_VIDEO) {
        for (uint32_t i = 0; i < g->f->known; i++)
            g->f->places[i].flaw = DC_E_VIDEO;
        return DC_OK;
    }
    if (g->f->count == 1)
        return g->count ? by_whole(g) : DC_OK;
    if (g->f->count == g->count)
        return by_number(g);
    if (g->entry_count)
        return by_table(g);
    if (g->count < g->f->count && is_one_each(g->ds->object->syntax))
        return by_rule(g);
    return g->count ? by_codestreams(g) : DC_OK;
}

/* Reading the tables. */

static dc_status read_entries(const grouping *g, dc_span bytes, unsigned width, bool big, uint64_t **out)
{
    size_t n = bytes.len / width;
    n = n > g->count ? g->count : n;
    uint64_t *list = *out = calloc(n ? n : 1, sizeof *list);
    if (!list)
        return DC_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        list[i] = width == 8 ? dc_get64(bytes.ptr + i * 8, big) : dc_get32(bytes.ptr + i * 4, big);
    return DC_OK;
}

static dc_status read_element(const grouping *g, uint32_t tag, uint64_t **out, uint64_t *count)
{
    uint8_t *scratch = NULL;
    dc_span bytes;
    const dc_element *e = dc_dataset_find(g->ds, tag);
    *count = 0;
    if (!e || e->length == 0 || e->hold == DC_HOLD_ITEMS || e->hold == DC_HOLD_FRAGMENTS)
        return DC_OK;
    dc_status st = dc_element_bytes(g->ds->object, e, &bytes, &scratch);
    if (st == DC_OK)
        st = read_entries(g, bytes, 8, (e->flags & DC_EL_BIG) != 0, out);
    *count = st ? 0 : bytes.len / 8;
    free(scratch);
    return st;
}

static dc_status read_basic(grouping *g)
{
    const dc_fragment *table = &g->list[0];
    if (!g->f->known || table->length < 4)
        return DC_OK;
    uint8_t *bytes = malloc(table->length);
    dc_status st = bytes ? load(g, table, 0, bytes, table->length) : DC_E_MEMORY;
    if (st == DC_OK)
        st = read_entries(g, dc_span_make(bytes, table->length), 4, false, &g->entries);
    g->entry_count = st ? 0 : table->length / 4;
    free(bytes);
    return st;
}

/* The Extended table stands alone, with as many lengths as offsets (PS3.3 C.7.6.3.1.8). */
static dc_status read_tables(grouping *g)
{
    uint64_t lengths = 0;
    dc_status st = read_element(g, DC_TAG_EXTENDED_OFFSETS, &g->entries, &g->entry_count);
    if (st == DC_OK && g->entries)
        st = read_element(g, DC_TAG_EXTENDED_LENGTHS, &g->lengths, &lengths);
    if (st == DC_OK && g->entries && (!g->lengths || lengths != g->entry_count)) {
        free(g->entries);
        free(g->lengths);
        g->entries = g->lengths = NULL;
        g->entry_count = 0;
        st = note(g, "Extended Offset Table without as many lengths: left aside (PS3.3 C.7.6.3.1.8)");
    }
    return st || g->entries ? st : read_basic(g);
}

static dc_status set_offsets(grouping *g)
{
    g->offsets = calloc((size_t)g->count + 2, sizeof *g->offsets);
    if (!g->offsets)
        return DC_E_MEMORY;
    for (uint32_t i = 1; i <= g->count; i++)
        g->offsets[i + 1] = g->offsets[i] + 8 + g->list[i].length;
    return DC_OK;
}

static dc_status set_places(dc_frames *f, uint32_t fragments)
{
    f->known = f->count < fragments ? (uint32_t)f->count : fragments;
    f->room = f->known ? f->known : 1;
    f->places = calloc(f->room, sizeof *f->places);
    for (uint32_t i = 0; f->places && i < f->known; i++)
        f->places[i].flaw = DC_E_GROUPING;
    return f->places ? DC_OK : DC_E_MEMORY;
}

dc_status dc_grouping_find(dc_frames *f, dc_dataset *ds, const dc_element *e)
{
    const dc_fragments *list = e->u.fragments;
    grouping g = { .f = f, .ds = ds, .e = e, .list = list->list, .count = list->count ? list->count - 1 : 0 };
    dc_status st = set_places(f, g.count);
    if (st == DC_OK)
        st = set_offsets(&g);
    if (st == DC_OK && list->count)
        st = read_tables(&g);
    if (st == DC_OK)
        st = group(&g);
    free(g.offsets);
    free(g.entries);
    free(g.lengths);
    return st;
}
