/* SPDX-License-Identifier: Apache-2.0 */
/* What salve itself wrote on this host: so that diagnosis does not take it for a stranger's deploy. */
#pragma once

#include "store/store.h"

/* Paths whose present content is the known good (run/known-good.h). A store that was never used, or that cannot be
 * read, gives none: then a change counts as foreign, which is the careful side. */
void own_paths(Arena *arena, const Store *store, StringVec *ret);
