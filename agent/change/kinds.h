/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds that change/change.c lists; everybody else finds them through change_kinds. */
#pragma once

#include "change/change.h"

extern const ChangeKind change_gunicorn;
extern const ChangeKind change_nginx;
extern const ChangeKind change_unit;
extern const ChangeKind change_template;
extern const ChangeKind change_symlink;
extern const ChangeKind change_restart;

/* The field that every kind with a unit has: units that the playbook's author knows to be affected too. */
#define FIELD_ALSO_AFFECTS(T)                                                                                          \
    FIELD_LIST(T, also_affects, VALUE_UNIT,                                                                            \
               .help = "Other units that read the same file or are restarted along, and may be.")
void change_wish_also(ChangeContext *context, const ValueVec *units);
