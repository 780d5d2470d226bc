/* SPDX-License-Identifier: Apache-2.0 */
/* Misfortunes that no single fault of the matrix brings about: two kinds of damage at once, somebody at work between
 * two halves of a recovery, a second run behind one that could not be cleaned up. Each is a test of its own. */
#pragma once

#include "matrix.h"

/* only: the one of this name; NULL: all. Adds to the tally. */
void stories_run(const char *only, const char *dir, bool verbose, Tally *tally);
