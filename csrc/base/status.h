/* SPDX-License-Identifier: MIT */
/* The one list of errors: code, name that Lua sees, constant text that cites the standard. */
#ifndef DC_STATUS_H
#define DC_STATUS_H

#include "dc.h"

/* X(constant, number, name, text). Numbers are negative and never reused. Append within a group. */
#define DC_STATUS_LIST(X)                                                                                              \
    /* data */                                                                                                         \
    X(DC_E_MEMORY, -1, "out of memory", "out of memory")                                                               \
    X(DC_E_TRUNCATED, -2, "truncated", "value runs past the end of its data set (PS3.5 7.1)")                          \
    X(DC_E_NOT_DICOM, -3, "not dicom", "neither a DICOM file nor a data set (PS3.10 7.1)")                             \
    X(DC_E_SYNTAX, -4, "unknown transfer syntax", "transfer syntax is not known (PS3.5 10)")                           \
    X(DC_E_TAG, -5, "bad tag", "tag is not allowed here (PS3.5 7.5)")                                                  \
    X(DC_E_VR, -6, "bad vr", "value representation is not one of PS3.5 6.2")                                           \
    X(DC_E_LENGTH, -7, "bad length", "length is not allowed here (PS3.5 7.1)")                                         \
    X(DC_E_VALUE, -8, "bad value", "value does not have the form of its VR (PS3.5 6.2)")                               \
    X(DC_E_CHARSET, -9, "bad text", "text does not fit the Specific Character Set (PS3.5 6.1)")                        \
    X(DC_E_DEPTH, -10, "too deep", "sequences are nested deeper than the limit")                                       \
    X(DC_E_COUNT, -11, "too many elements", "more elements than the limit")                                            \
    X(DC_E_INFLATE, -12, "bad deflate stream", "deflated data set is damaged (PS3.5 A.5)")                             \
    X(DC_E_BOMB, -13, "inflates too far", "deflated data set grows beyond the limit")                                  \
    X(DC_E_TOO_LONG, -14, "too long", "value does not fit its length field in this transfer syntax (PS3.5 7.1.2)")     \
    X(DC_E_STRICT, -15, "needs repair", "data set needs a repair, refused by strict reading")                          \
    X(DC_E_GONE, -16, "gone", "no longer part of its data set")                                                        \
    X(DC_E_CYCLE, -17, "own descendant", "an item cannot hold itself")                                                 \
    X(DC_E_CONVERT, -18, "cannot convert", "cannot be written in this transfer syntax without a codec (PS3.5 A.4)")    \
    X(DC_E_JSON, -19, "bad json", "not JSON (RFC 8259), or not of the form of the DICOM JSON Model (PS3.18 F.2)")       \
    X(DC_E_NO_PIXELS, -25, "no pixel data", "data set has no pixel data (PS3.3 C.7.6.3)")                              \
    X(DC_E_FRAME, -26, "no such frame", "pixel data has fewer frames (PS3.3 C.7.6.6.1.1)")                             \
    X(DC_E_GROUPING, -27, "unknown fragments", "which fragments are those of this frame cannot be told (PS3.5 A.4)")   \
    X(DC_E_OFFSETS, -28, "bad offset table", "offset table does not lead to this frame (PS3.5 A.4)")                   \
    X(DC_E_VIDEO, -29, "video", "a video is one stream, its fragments together: it has no frames to take (PS3.5 8.2)") \
    /* wire */                                                                                                         \
    X(DC_E_PDU, -40, "bad pdu", "PDU is malformed (PS3.8 9.3)")                                                        \
    X(DC_E_PDU_TYPE, -41, "unknown pdu", "PDU type is not known (PS3.8 9.3.1)")                                        \
    X(DC_E_PDU_UNEXPECTED, -42, "unexpected pdu", "PDU is not allowed in this state (PS3.8 9.2.3)")                    \
    X(DC_E_PDU_LENGTH, -43, "pdu too long", "PDU is longer than was agreed (PS3.8 D.1)")                               \
    X(DC_E_STATE, -44, "wrong state", "call is not allowed in this state of the association (PS3.8 9.2)")              \
    X(DC_E_CONTEXT, -45, "unknown context", "presentation context was not accepted (PS3.8 9.3.2.2)")                   \
    X(DC_E_COMMAND, -46, "bad command set", "command set is malformed (PS3.7 6.3)")                                    \
    X(DC_E_FRAGMENT, -47, "bad fragment", "message fragments are out of order (PS3.8 E.1)")                            \
    X(DC_E_AE_TITLE, -48, "bad ae title", "AE title is not 1 to 16 characters of the default repertoire (PS3.5 6.2)")  \
    X(DC_E_UID, -49, "bad uid", "UID is not well formed (PS3.5 9.1)")                                                  \
    /* io */                                                                                                           \
    X(DC_E_SYSTEM, -60, "system", "the system refused")                                                                \
    X(DC_E_CHANGED, -61, "changed on disk", "file changed on disk since it was opened")                                \
    X(DC_E_CLOSED, -62, "closed", "connection was closed by the peer")                                                 \
    X(DC_E_TIMEOUT, -63, "timeout", "no progress within the time limit")                                               \
    X(DC_E_REJECTED, -64, "rejected", "association was rejected (PS3.8 9.3.4)")                                        \
    X(DC_E_ABORTED, -65, "aborted", "association was aborted (PS3.8 9.3.8)")                                           \
    X(DC_E_CANCELLED, -66, "cancelled", "cancelled")                                                                   \
    X(DC_E_FULL, -67, "no space", "no space left to store (PS3.4 B.2.3: A700H)")

typedef enum dc_status {
    DC_OK = 0,
    DC_MORE = 1, /* a machine wants more input, or has no event */
    DC_DONE = 2, /* a machine has given all it has */
#define DC_STATUS_ENUM(constant, number, name, text) constant = number,
    DC_STATUS_LIST(DC_STATUS_ENUM)
#undef DC_STATUS_ENUM
} dc_status;

DC_BEGIN
const char *dc_status_name(dc_status status); /* constant, never NULL */
const char *dc_status_text(dc_status status); /* constant, never NULL */
DC_END

#endif
