/* SPDX-License-Identifier: Apache-2.0 */
/* What a set of edits makes necessary, in order: validations of the candidate, daemon-reload, reload and restart.
 *
 * Effects derive from the final edits only: a unit file or drop-in -> daemon-reload and restart of its unit; a file
 * that Gunicorn reads (configuration, EnvironmentFile) -> restart; a file of nginx's configuration -> nginx -t and
 * reload. A unit that rests is not started by that; only a playbook's `restart` does. When limits are raised nginx goes
 * first, then Gunicorn; when they are lowered the other way round. nginx is reloaded, never restarted; Gunicorn is
 * restarted, not HUPed (domain facts 1.6, 2.5). */
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
    bool if_running;     /* restart: not of a unit that rests then (effect_rests); it reads all when it is started */
    const char *rests;   /* the state of such a unit when the plan was made; else NULL */
    StringVec sockets;   /* restart: its socket units that are restarted with it, because their names go with it */
    const char *loses;   /* and why: both settings, with where they stand */
} Effect;

typedef VEC(Effect) EffectVec;

/* How the host was before a run touched it: what a rollback has to bring back, and what it need not. */
typedef struct HostBefore {
    StringVec was_down;        /* units of the effects that were not running */
    StringVec was_sick;        /* likewise: that did not stay up */
    StringVec was_up;          /* units that stop along with these, and ran (run/restart.h) */
    StringVec no_way;          /* addresses of theirs that nginx did not reach (run/way.h) */
    uint64_t nginx_generation; /* of its workers (LiveNginx); 0: not known, or it did not run */
} HostBefore;

/* Another unit that reads an edited file, or that a job would pull along. */
typedef struct Affected {
    const char *unit, *why;
    bool allowed; /* the playbook says so (also_affects) */
    bool lost;    /* it could not be reached any more; no playbook allows that */
} Affected;

typedef VEC(Affected) AffectedVec;

const char *effect_kind_to_string(EffectKind kind); /* "nginx -t", "daemon-reload", "restart" ... */
bool effect_is_validation(EffectKind kind);

/* A oneshot that has ended, or is at it: to start it, or to end it, is not for us. */
bool effect_is_job(const char *active_state, const char *type);
/* Whether a unit in that state is not to be started for the sake of an edit: it was stopped, or is such a job. One that
 * failed was meant to run. */
bool effect_rests(const char *active_state, const char *type);

int effects_derive(Arena *arena, View *view, const EditVec *edits, const WishVec *wishes, EffectVec *ret_effects,
                   AffectedVec *ret_affected, Err *err);
