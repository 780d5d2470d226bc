/* SPDX-License-Identifier: Apache-2.0 */
/* A finding is what diagnosis concluded about a host, with its evidence; guards of playbooks name findings.
 *
 * A kind is one row in finding_kinds (diagnose/finding.c) and one function in the file of its family. Examining only
 * reads. What cannot be told is FINDING_UNKNOWN with the reason, and a guard treats it as not satisfied, either way. */
#pragma once

#include "base/clock.h"
#include "data/decode.h"
#include "stack/view.h"

typedef enum FindingState { FINDING_ABSENT, FINDING_PRESENT, FINDING_UNKNOWN } FindingState;
const char *finding_state_to_string(FindingState state);

struct Live;
struct Systemd;

typedef struct FindingContext {
    Arena *arena;
    View *view;
    struct Live *live;       /* NULL with --root */
    struct Systemd *systemd; /* NULL with --root */
    const char *unit;        /* the Gunicorn service */
    const StringVec *own;    /* paths whose present content salve wrote itself: no foreign change; NULL: none */
} FindingContext;

typedef struct FindingSpec {
    usec since_usec; /* how far back to look; 0: the kind's default */
} FindingSpec;

typedef struct FindingKind FindingKind;

typedef struct Finding {
    const FindingKind *kind;
    FindingState state;
    const char *subject; /* the unit, usually */
    const char *summary; /* "12 worker timeouts in the last 1h, 9 of them on one worker" */
    StringVec evidence;  /* lines with time and source, newest last, at most 10 */
    const char *advice;  /* what to do about it; NULL when absent */
} Finding;

typedef VEC(Finding) FindingVec;

struct FindingKind {
    const char *name, *help;
    usec default_since_usec; /* 0: the kind does not look back */
    int (*examine)(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err);
};

extern const FindingKind *const finding_kinds[]; /* NULL-terminated */
const FindingKind *finding_kind_find(const char *name);
/* "the last hour", "the last 15min". */
char *finding_last(Arena *arena, usec back_usec);
/* Examines one kind; an error of the kind becomes FINDING_UNKNOWN with its text. */
void finding_examine(FindingContext *context, const FindingKind *kind, const FindingSpec *spec, Finding *ret);
