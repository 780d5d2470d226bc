/* SPDX-License-Identifier: Apache-2.0 */
/* Activation: makes systemd, nginx and Gunicorn use what is on disk, and proves that they do.
 *
 * A job that ended `done` proves almost nothing (domain facts 0.1, 0.6), so each action is followed to its visible
 * effect: a restart to a new main process that stays, with all its workers; a reload of nginx to a new generation of
 * workers and no new [emerg] in its log; all of them, after the settle time, to processes that loaded the files as they
 * are (promise 11). A proof that fails is an error with the reason; it says nothing about who is to blame. */
#pragma once

#include <signal.h>

#include "run/effects.h"
#include "run/progress.h"

typedef struct Activation {
    Arena *arena;
    struct Systemd *systemd;
    View *view; /* the configuration that the processes are to use: fresh, as it is on disk now */
    Live *live;
    Progress *progress;
    usec settle_usec;      /* for how long nothing may move after the last restart */
    const WishVec *wishes; /* properties to read back; may be NULL */
    const HostBefore *before;
    bool rollback;                       /* units that were down are left down, of sick ones nothing is asked */
    const EditVec *ours;                 /* a rollback proves what is at these paths; NULL: all that a unit reads */
    const volatile sig_atomic_t *cancel; /* NULL: cannot be cancelled */
    /* What is done until then, when all but the workers of the last restart is proved, instead of nothing; may be NULL.
     */
    void (*meanwhile)(void *user, usec until);
    void *user;
} Activation;

/* Carries out the effects that are no validations, in order, then settles and proves. *attempted counts the effects
 * that were begun, also when it fails: those are the ones to take back. */
int activate(Activation *activation, const EffectVec *effects, size_t *attempted, Err *err);

/* The same effects in reverse, for a rollback; units that were down are left stopped or failed, and of units that were
 * sick nothing is asked but the attempt (promise 6). The view is the configuration as restored. Goes through all
 * effects even if one fails, and returns the first error. */
int activate_reverse(Activation *activation, const EffectVec *effects, Err *err);
