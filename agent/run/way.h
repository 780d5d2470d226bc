/* SPDX-License-Identifier: Apache-2.0 */
/* The way from nginx to a service: for each address by which nginx's sites reach it, connect(2) with the rights of
 * nginx's workers. Internal to run/. */
#pragma once

#include "stack/live.h"

typedef struct Way {
    Arena *arena;
    View *view; /* the configuration as it is on disk */
    Live *live;
} Way;

/* The addresses that nginx does not reach ("unix:/run/x.sock"), each with what is wrong. */
typedef struct Blocked {
    const char *address;
    const char *why; /* a sentence with address, site, user and errno */
} Blocked;

typedef VEC(Blocked) BlockedVec;

/* Empty also where there is nothing to try: nginx does not run, or no site of its leads to the unit. */
int way_look(const Way *way, const char *unit, BlockedVec *ret, Err *err);

/* ERR_FAILED where an address that is none of `except` is still not reached after the time. */
int way_prove(const Way *way, const char *unit, const StringVec *except, usec patience_usec, Err *err);
