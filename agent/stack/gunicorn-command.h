/* SPDX-License-Identifier: Apache-2.0 */
/* Where Gunicorn is in a command line, and what stands in front of it. */
#pragma once

#include "stack/gunicorn.h"

typedef struct GunicornCommand {
    StringVec argv; /* of the service, or of the command that `sh -c` is given */
    size_t program; /* index of the word that is Gunicorn */
    GunicornWrapper wrapper;
    const char *wrapper_reason;
    UnitVariableVec assigned; /* by env(1) in front */
} GunicornCommand;

/* GUNICORN_NOT: there is no Gunicorn in it. */
int gunicorn_command_find(Arena *arena, const StringVec *argv, GunicornCommand *ret);
