/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs that an action of activation had its effect: each waits, within a limit, for what must become visible. */
#pragma once

#include "host/log-file.h"
#include "host/systemd.h"
#include "run/activate.h"

/* After daemon-reload: every restarted unit is loaded without error, and the wished properties read back as wished. */
int prove_units_loaded(Activation *activation, Err *err);

/* After a restart: active, another main process and invocation than before. */
int prove_restarted(Activation *activation, const char *unit, const UnitStatus *before, Err *err);

/* Of a Gunicorn that was restarted: all workers are there. `last`: nothing else is to be proved, and what there is to
 * do meanwhile may begin. */
int prove_workers(Activation *activation, const char *unit, bool last, Err *err);

/* nginx as it was before a reload. */
typedef struct NginxBefore {
    LiveWorkerVec workers;
    pid_t master;
    LogFile *log;      /* its main error log, at the end; NULL where it is no file */
    const char *taken; /* since then: the last port that could not be bound yet; NULL: none */
} NginxBefore;

int prove_nginx_before(Activation *activation, NginxBefore *ret, Err *err);
/* New workers serve, and the master logged no new [emerg]. That the old ones only finish is proved by prove_settled. */
int prove_nginx_reloaded(Activation *activation, NginxBefore *before, Err *err);
void prove_nginx_forget(NginxBefore *before); /* closes the log */

/* For settle_usec nothing moves: the restarted units stay active, in the same invocation; then no unit has edits
 * pending that it never loaded; and at last all workers are there, and nginx reaches them. */
int prove_settled(Activation *activation, const EffectVec *effects, Err *err);
