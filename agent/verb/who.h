/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"

/* The person behind the command: SUDO_USER, else the login name of the user id. */
const char *who_asks(Arena *arena);
