/* SPDX-License-Identifier: Apache-2.0 */
/* salve's own drop-in of a unit (zz-salve.conf): one file for all that changes set in it.
 *
 * An assignment that it has already is replaced in place, a new one is added to its section; every other byte stays. A
 * drop-in of the admin that applies later and would win is ERR_REFUSED with its place. */
#pragma once

#include "stack/unit.h"

/* Sets a setting that stands once. `value` is as it is to stand in the file: escaped before. */
int dropin_set(View *view, const Unit *unit, const char *section, const char *key, const char *value, Err *err);

/* Overrides ExecStart= (an empty assignment, then `value`), with a comment that says what it overrides and its hash, so
 * that a later change of the original can be noticed. Ours again: only the value is replaced. */
int dropin_set_exec_start(View *view, const Unit *unit, const UnitSetting *overridden, const char *value, Err *err);

/* Sets NAME=value with an Environment= assignment of its own. */
int dropin_set_environment(View *view, const Unit *unit, const char *name, const char *value, Err *err);
