/* SPDX-License-Identifier: Apache-2.0 */
#include "run/own.h"

#include "run/known-good.h"

void own_paths(Arena *arena, const Store *store, StringVec *ret)
{
    GoodFileVec files = {0};
    Err ignored; /* then nothing counts as ours */
    if (known_good_load(arena, store, &files, NULL, &ignored) < 0)
        return;
    VEC_EACH (file, &files) {
        FileState now;
        if (file->state.type != FILE_ABSENT && file_read(arena, "", file->path, &now, &ignored) >= 0 &&
            file_state_equal(&now, &file->state))
            *vec_push(arena, ret) = file->path;
    }
}
