/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/finding.h"

#include <string.h>

#include "diagnose/kinds.h"

const FindingKind *const finding_kinds[] = {
    &finding_worker_timeout,  &finding_timeout_not_enforced, &finding_boot_failure, &finding_oom_kill,
    &finding_memory_pressure, &finding_recent_deploy,        &finding_pending_edit, NULL,
};

static const char *const state_names[] = {
    [FINDING_ABSENT] = "absent",
    [FINDING_PRESENT] = "present",
    [FINDING_UNKNOWN] = "unknown",
};

const char *finding_state_to_string(FindingState state)
{
    return state_names[state];
}

const FindingKind *finding_kind_find(const char *name)
{
    for (size_t i = 0; finding_kinds[i]; i++) {
        if (str_equal(finding_kinds[i]->name, name))
            return finding_kinds[i];
    }
    return NULL;
}

void finding_add_evidence(Arena *arena, Finding *finding, const char *line)
{
    StringVec *evidence = &finding->evidence;
    if (evidence->n == EVIDENCE_MAX) {
        memmove(evidence->items, evidence->items + 1, (evidence->n - 1) * sizeof *evidence->items);
        evidence->n--;
    }
    *vec_push(arena, evidence) = line;
}

usec finding_since(const FindingKind *kind, const FindingSpec *spec)
{
    return spec && spec->since_usec > 0 ? spec->since_usec : kind->default_since_usec;
}

void finding_examine(FindingContext *context, const FindingKind *kind, const FindingSpec *spec, Finding *ret)
{
    Err err;
    Finding finding = {.kind = kind, .subject = context->unit};
    if (kind->examine(context, spec, &finding, &err) < 0)
        finding = (Finding){
            .kind = kind,
            .state = FINDING_UNKNOWN,
            .subject = context->unit,
            .summary = arena_printf(context->arena, "cannot be told: %s", err_text(&err)),
            .advice = "Find out by hand, or make it readable for salve; a guard takes it as not satisfied.",
        };
    *ret = finding;
}

char *finding_last(Arena *arena, usec back_usec)
{
    return arena_concat(arena, "the last ", back_usec == USEC_PER_HOUR ? "hour" : usec_to_string(arena, back_usec), "");
}
