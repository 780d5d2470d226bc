/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of a candidate before anything is live: nginx -t, systemd-analyze verify and gunicorn --check-config judge
 * the edits laid over the real directories in a private mount namespace.
 *
 * What is new counts: an error or warning that the untouched configuration gives as well is a finding about the host
 * and not our doing, and then the message says so. */
#pragma once

#include "base/cleanup.h"
#include "host/namespace.h"
#include "host/systemd.h"
#include "run/effects.h"
#include "run/progress.h"

typedef struct StageInput {
    Arena *arena;
    const char *run_id;
    Systemd *systemd;
    View *view; /* with the edits pending */
    const EditVec *edits;
    const EffectVec *effects;
    Progress *progress;
    bool errors_only; /* warnings do not count */
} StageInput;

typedef struct Stage Stage;

/* Begins what takes long (gunicorn --check-config imports the application) and goes on beside what the caller does
 * next. *ret NULL: there is nothing to stage. What is wrong with a candidate is told by stage_validate. */
int stage_begin(const StageInput *input, Stage **ret, Err *err);
/* Ends what still runs. */
void stage_close(Stage *stage);
DEFINE_CLEANUP(Stage *, stage_close)

enum { STAGE_UNAVAILABLE = 1 };

/* ERR_REFUSED: a candidate was refused, and by whom and why. STAGE_UNAVAILABLE: this kernel or container allows no
 * private namespace; err says why, and the caller validates with stage_validate_live after applying. */
int stage_validate(Stage *stage, Err *err);

/* The same validations of the files in place. ERR_FAILED where they fail. */
int stage_validate_live(const StageInput *input, Err *err);

/* --- For the validators (stage-*.c) --- */

/* staging NULL: judge what is live. Lines that the program printed and that the untouched configuration does not give
 * too are in the error. */
int stage_program(const StageInput *input, Staging *staging, const char *const *argv, const char *what, Err *err);

/* Begin never fails: end says what was wrong, in its turn. Close is needed after both. */
typedef struct GunicornCheck GunicornCheck;
GunicornCheck *stage_gunicorn_begin(const StageInput *input, Staging *staging, const char *unit);
int stage_gunicorn_end(const StageInput *input, Staging *staging, GunicornCheck *check, Err *err);
void stage_gunicorn_close(const StageInput *input, GunicornCheck *check);
