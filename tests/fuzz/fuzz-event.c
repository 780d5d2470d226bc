/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a trail holds: a line that is an event is told again as the same line, and again as the same event. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "data/json.h"
#include "report/event-json.h"
#include "report/record-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_event(Arena *arena, Bytes line, Event *ret)
{
    Node *root = NULL;
    Err err;
    return json_parse(arena, "line", line, &root, &err) == 0 && event_from_json(root, ret, &err) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf first = STRBUF_INIT(JSON_MAX_BYTES);
    CLEANUP(strbuf_free) StrBuf second = STRBUF_INIT(JSON_MAX_BYTES);
    Event event, again;
    if (!read_event(arena, (Bytes){(const char *)data, size}, &event))
        return 0;
    json_of_event(&event, &first);
    if (!read_event(arena, strbuf_bytes(arena, &first), &again))
        abort();
    json_of_event(&again, &second);
    if (!str_equal(strbuf_str(&first), strbuf_str(&second)))
        abort();
    return 0;
}
