/* SPDX-License-Identifier: Apache-2.0 */
/* Where systemd looks for units and drop-ins: names and paths only, no content but that of links. */
#pragma once

#include "stack/view.h"

typedef struct UnitName {
    const char *prefix;   /* "x" of x@i.service and of x.service */
    const char *instance; /* NULL: none, "" of the template x@.service */
    const char *type;     /* "service" */
} UnitName;

/* ERR_INVALID where it is no unit name (unit_name_is_valid in unit-name.c). */
int unit_name_parse(Arena *arena, const char *name, UnitName *ret, Err *err);
char *unit_name_build(Arena *arena, const char *prefix, const char *instance, const char *type);

/* The load path of the system manager, highest first; NULL-terminated. */
extern const char *const unit_load_path[];

typedef struct UnitPlace {
    const char *name;     /* primary: behind aliases */
    const char *fragment; /* of the unit or of its template */
    bool masked;
} UnitPlace;

enum { UNIT_PLACE_NONE = 1 };

int unit_place_find(View *view, const char *name, UnitPlace *ret, Err *err);
/* The drop-ins of a primary name, in the order in which they apply. */
int unit_place_dropins(View *view, const char *name, StringVec *ret, Err *err);
