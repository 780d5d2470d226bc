/* SPDX-License-Identifier: Apache-2.0 */
/* Where a Gunicorn setting is changed so that the change has effect: at the definition that counts now.
 *
 *     command line     the flag's value in ExecStart=, overridden in salve's drop-in
 *     GUNICORN_CMD_ARGS, WEB_CONCURRENCY
 *                      the line of the environment file, or an Environment= in salve's drop-in
 *     configuration    the literal in the file; what is computed there gets a line at the end, which wins
 *     nowhere yet, or a Python module
 *                      the configuration file where there is one, else the command line */
#pragma once

#include "change/change.h"
#include "stack/gunicorn.h"

/* Edits the view so that `setting` is `value` (digits, or a word). The caller loads the facts again and looks whether
 * it had effect. ERR_REFUSED where it cannot be done surely. */
int gunicorn_place(ChangeContext *context, const GunicornFacts *facts, const GunicornSetting *setting,
                   const char *value, Err *err);
