/* SPDX-License-Identifier: Apache-2.0 */
/* What a set of edits makes necessary, in order: validations of the candidate, daemon-reload, reload and restart.
 *
 * Effects derive from the final edits only: a unit file or drop-in -> daemon-reload and restart of its unit; a file
 * that Gunicorn reads (configuration, EnvironmentFile) -> restart; a file of nginx's configuration -> nginx -t and
 * reload. When limits are raised nginx goes first, then Gunicorn; when they are lowered the other way round. nginx is
 * reloaded, never restarted; Gunicorn is restarted, not HUPed (domain facts 1.6, 2.5). */
#pragma once

#include "change/change.h"
#include "stack/live.h"

typedef enum EffectKind {
    EFFECT_TEST_NGINX,     /* nginx -t on the candidate */
    EFFECT_VERIFY_UNIT,    /* systemd-analyze verify on the candidate */
    EFFECT_CHECK_GUNICORN, /* gunicorn --check-config on the candidate */
    EFFECT_DAEMON_RELOAD,
    EFFECT_RELOAD,  /* subject: nginx.service */
    EFFECT_RESTART, /* subject: a service */
} EffectKind;

typedef struct Effect {
    EffectKind kind;
    const char *unit;    /* NULL for daemon-reload */
    const char *because; /* the edited path or the change that asked for it */
    usec refused_usec;   /* how long new connections may be refused, at the longest; 0: not at all */
} Effect;

typedef VEC(Effect) EffectVec;

/* Another unit that reads an edited file, or that a job would pull along. */
typedef struct Affected {
    const char *unit, *why;
    bool allowed; /* the playbook says so (also_affects) */
} Affected;

typedef VEC(Affected) AffectedVec;

const char *effect_kind_to_string(EffectKind kind); /* "nginx -t", "daemon-reload", "restart" ... */
bool effect_is_validation(EffectKind kind);

int effects_derive(Arena *arena, View *view, const EditVec *edits, const WishVec *wishes, EffectVec *ret_effects,
                   AffectedVec *ret_affected, Err *err);
