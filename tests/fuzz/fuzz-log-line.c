/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a log holds: every part of an event is a range of its line, and the scan ends behind the last whole line. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/log-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Scan {
    LogSource source;
    Bytes text;
} Scan;

static int found(const LogLine *line, void *ctx)
{
    const Scan *scan = ctx;
    const Bytes parts[] = {line->level,  line->time,    line->message,   line->text,
                           line->remote, line->request, line->user_agent};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len > 0 &&
            (parts[i].data < scan->text.data || parts[i].data + parts[i].len > scan->text.data + scan->text.len ||
             memchr(parts[i].data, '\n', parts[i].len)))
            abort();
    }
    usec realtime;
    log_line_time(scan->source, line, 3600, &realtime);
    if (!log_event_name(line->event) || !log_event_is(line->event, log_event_name(line->event)))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (LogSource source = LOG_SOURCE_GUNICORN; source <= LOG_SOURCE_NGINX_ACCESS; source++) {
        Scan scan = {source, {(const char *)data, size}};
        size_t consumed;
        log_scan(source, scan.text, found, &scan, &consumed);
        if (consumed > size || memchr(scan.text.data + consumed, '\n', size - consumed) ||
            (consumed > 0 && scan.text.data[consumed - 1] != '\n'))
            abort();
    }
    return 0;
}
