/* SPDX-License-Identifier: Apache-2.0 */
/* The service that a change names. */
#pragma once

#include "change/change.h"
#include "stack/unit.h"

/* "auto" is the Gunicorn service where the host has just one; an alias is the unit behind it. ERR_REFUSED with what to
 * do instead: not there, masked, a bare template, no service, or nginx (which salve reloads and never restarts). */
int service_load(ChangeContext *context, const char *name, const Unit **ret, Err *err);
