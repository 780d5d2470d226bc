/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/files.h"
#include "store/git-internal.h"

int git_check_parts(const char *path, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const struct {
        const char *name;
        FileType type;
    } parts[] = {
        {"HEAD", FILE_REGULAR},      {"config", FILE_REGULAR}, {"packed-refs", FILE_REGULAR},
        {"objects", FILE_DIRECTORY}, {"refs", FILE_DIRECTORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *part = arena_printf(arena, "%s/%s", path, parts[i].name);
        FileState found;
        int r = file_stat("", part, &found, err);
        if (r < 0)
            return r;
        if (found.type != FILE_ABSENT && found.type != parts[i].type)
            return err_set(err, ERR_DAMAGED, "%s is a %s, not a %s; look at it and put it right", part,
                           file_type_to_string(found.type), file_type_to_string(parts[i].type));
    }
    return 0;
}
