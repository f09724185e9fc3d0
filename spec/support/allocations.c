/* SPDX-License-Identifier: MIT */
/* Reads, changes, copies and writes each file again and again, the first time with no allocation granted, then with
   one, two, ...: each time it must end with "out of memory" and nothing lost, until all are granted. */
#include <stdio.h>
#include <stdlib.h>

#include "../../csrc/data/reader.h"
#include "../../csrc/data/writer.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);

static long granted = -1; /* below zero: all */

static int refused(void)
{
    if (granted > 0)
        granted--;
    else if (granted == 0)
        return 1;
    return 0;
}

void *__wrap_malloc(size_t n)
{
    return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return refused() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return refused() ? NULL : __real_realloc(p, n);
}

static dc_status change(dc_dataset *ds)
{
    dc_dataset *item;
    uint8_t *taken = malloc(100);
    if (!taken)
        return DC_E_MEMORY;
    memset(taken, 'A', 100);
    dc_status st = dc_dataset_set_owned(ds, 0x00104000, DC_VR_LT, taken, 100);
    if (st == DC_OK)
        st = dc_dataset_set(ds, 0x00100010, DC_VR_PN, dc_span_make("DOE^JANE", 8), false);
    if (st == DC_OK)
        st = dc_dataset_set_sequence(ds, 0x00081140);
    for (int i = 0; i < 3 && st == DC_OK; i++) {
        st = dc_dataset_insert_item(ds, 0x00081140, 0, &item);
        if (st == DC_OK)
            st = dc_dataset_set(item, 0x00081155, DC_VR_UI, dc_span_make("1.2", 3), false);
    }
    return st ? st : dc_dataset_remove_item(ds, 0x00081140, 1);
}

static dc_status copy(const dc_object *o)
{
    dc_object *clone, *other;
    dc_status st = dc_object_clone(o, &clone);
    if (st)
        return st;
    other = dc_object_new(NULL);
    st = other ? dc_dataset_copy(&other->root, &clone->root) : DC_E_MEMORY;
    if (st == DC_OK)
        st = dc_dataset_copy_element(&clone->root, &other->root, 0x00081140);
    dc_object_unref(other);
    dc_object_unref(clone);
    return st;
}

static dc_status write_as(dc_object *o, const dc_syntax *syntax)
{
    dc_writer_options options = { .part10 = true, .syntax = syntax };
    dc_writer *w;
    dc_segment segment;
    dc_status st = dc_writer_new(o, &options, &w);
    if (st)
        return st == DC_E_CONVERT ? DC_OK : st;
    while ((st = dc_writer_next(w, &segment)) == DC_OK)
        ;
    dc_writer_free(w);
    return st == DC_DONE ? DC_OK : st;
}

static dc_status journey(const uint8_t *bytes, size_t n)
{
    const dc_syntax *const syntaxes[] = { NULL, dc_syntax_implicit, dc_syntax_explicit_big, dc_syntax_deflated };
    dc_object *o = NULL;
    dc_source *memory = dc_source_memory(bytes, n);
    dc_status st = memory ? dc_read_memory(memory, NULL, NULL, &o) : DC_E_MEMORY;
    dc_source_unref(memory);
    if (st == DC_OK)
        st = write_as(o, NULL);
    if (st == DC_OK)
        st = change(&o->root);
    if (st == DC_OK)
        st = copy(o);
    for (size_t i = 0; i < 4 && st == DC_OK; i++)
        st = write_as(o, syntaxes[i]);
    dc_object_unref(o);
    return st;
}

/* The number of allocations the journey takes; -1 when it ended otherwise than it should. */
static long allocations(const uint8_t *bytes, size_t n)
{
    for (long k = 0;; k++) {
        granted = k;
        dc_status st = journey(bytes, n);
        bool all = granted > 0;
        granted = -1;
        if (st == DC_OK && all)
            return k;
        if (st != DC_OK && st != DC_E_MEMORY)
            return -1;
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        static uint8_t bytes[1 << 20];
        FILE *f = fopen(argv[i], "rb");
        if (!f)
            return 2;
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        printf("%ld\n", allocations(bytes, n));
    }
    return 0;
}
