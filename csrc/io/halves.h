/* SPDX-License-Identifier: MIT */
/* What the three files of a link (link.c, sending.c, receiving.c) share. */
#ifndef DC_HALVES_H
#define DC_HALVES_H

#include "link.h"

enum { DC_LINK_BACKLOG = 16 }; /* messages waiting for the owner, or for the peer, before we stop reading */

struct dc_sending {
    dc_sending *next;
    uint8_t context;
    bool is_request;
    dc_buf command;
    size_t command_at;
    bool command_sent;
    dc_object *object; /* NULL: no data set */
    dc_writer *writer;
    dc_segment segment;
    uint64_t segment_at;
    bool drained; /* the writer has no more */
};

DC_BEGIN
int64_t dc_link_now(void); /* ms */

/* The end as the owner will see it: the first one counts. */
void dc_link_finish(dc_link *k, dc_link_end end, dc_status status, int error);
void dc_link_shut(dc_link *k); /* gives back everything but what the owner has yet to see */
void dc_link_fail(dc_link *k, dc_status status, int error); /* both */
void dc_link_arm(dc_link *k);                                /* the timer, after anything happened */
void dc_link_want(dc_link *k, bool writing);                /* what the socket is watched for */

/* sending.c */
dc_sending *dc_sending_new(uint8_t context, const dc_command *command, dc_object *object,
                           const dc_writer_options *options, dc_status *st);
void dc_link_pump(dc_link *k); /* sends until all is sent or the socket is full */
void dc_link_drop_sendings(dc_link *k);
void dc_link_give_back(dc_link *k); /* the block */

/* receiving.c */
void dc_link_receive(dc_link *k); /* one read */
void dc_link_take_events(dc_link *k);
void dc_link_lost(dc_link *k, int error); /* the connection is closed: 0, or broken: errno */
void dc_link_drop_arrivals(dc_link *k);
DC_END

#endif
