/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the host before anything is done to it: who recovers a run may find that a person was there first. Internal
 * to run/. */
#pragma once

#include "run/activate.h"
#include "run/run.h"

/* Whether the services of the run are as before it: those that were down rest, all others run, loaded what lies on disk
 * since it was put back, stay up for the settle time and are reached by nginx. 1: they are not, *ret_why says which. */
enum { WELL_NOT = 1 };
int well_look(Run *run, Activation *activation, const char **ret_why);

/* What is down now, for a person: "gunicorn.service is failed (exit-code)", "nginx does not reach ..."; NULL: nothing
 * that is seen here. */
const char *well_what_is_down(Run *run);
