/* SPDX-License-Identifier: Apache-2.0 */
#include "run/progress.h"

#include <stdarg.h>
#include <stdio.h>

void progress_emit(Progress *progress, Event event)
{
    event.realtime = clock_realtime();
    event.run_id = progress->run_id;
    event.state = progress->state;
    if (progress->sink.emit)
        progress->sink.emit(progress->sink.user, &event);
}

void progress_state(Progress *progress, RunState state)
{
    progress->state = state;
    progress_emit(progress, (Event){.kind = EVENT_STATE});
}

__attribute__((format(printf, 3, 0))) static void emit_text(Progress *progress, Event event, const char *format,
                                                            va_list args)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    event.text = text;
    progress_emit(progress, event);
}

#define EMIT(event)                                                                                                    \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    emit_text(progress, (event), format, args);                                                                        \
    va_end(args)

void progress_step(Progress *progress, const char *format, ...)
{
    progress->step_started = clock_boottime();
    va_list name;
    va_start(name, format);
    vsnprintf(progress->step, sizeof progress->step, format, name);
    va_end(name);
    EMIT((Event){.kind = EVENT_STEP});
}

void progress_done(Progress *progress, const char *format, ...)
{
    EMIT(((Event){.kind = EVENT_STEP_DONE,
                  .subject = progress->step,
                  .ok = true,
                  .duration_usec = clock_boottime() - progress->step_started}));
}

void progress_failed(Progress *progress, const char *format, ...)
{
    EMIT(((Event){.kind = EVENT_STEP_FAILED,
                  .subject = progress->step,
                  .duration_usec = clock_boottime() - progress->step_started}));
}

void progress_note(Progress *progress, const char *format, ...)
{
    EMIT((Event){.kind = EVENT_NOTE});
}

void progress_warning(Progress *progress, const char *format, ...)
{
    EMIT((Event){.kind = EVENT_WARNING});
}

void progress_wait(Progress *progress, const char *subject, usec elapsed, usec total)
{
    progress_emit(progress,
                  (Event){.kind = EVENT_WAIT, .subject = subject, .duration_usec = elapsed, .total_usec = total});
}
