/* SPDX-License-Identifier: Apache-2.0 */
#include "run/event.h"

const char *event_kind_to_string(EventKind kind)
{
    static const char *const names[] = {
        [EVENT_STATE] = "state",         [EVENT_STEP] = "step",
        [EVENT_STEP_DONE] = "step-done", [EVENT_STEP_FAILED] = "step-failed",
        [EVENT_SAMPLE] = "sample",       [EVENT_VERDICT] = "verdict",
        [EVENT_NOTE] = "note",           [EVENT_WARNING] = "warning",
        [EVENT_WAIT] = "wait",           [EVENT_END] = "end",
    };
    return names[kind];
}

int event_kind_from_string(const char *text)
{
    for (int kind = EVENT_STATE; kind <= EVENT_END; kind++) {
        if (str_equal(event_kind_to_string((EventKind)kind), text))
            return kind;
    }
    return -1;
}
