/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/who.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

const char *who_asks(Arena *arena)
{
    const char *sudo = getenv("SUDO_USER");
    if (sudo && *sudo)
        return arena_strdup(arena, sudo);
    const struct passwd *user = getpwuid(getuid());
    return user ? arena_strdup(arena, user->pw_name) : arena_printf(arena, "user %u", (unsigned)getuid());
}
