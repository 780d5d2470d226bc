/* SPDX-License-Identifier: Apache-2.0 */
/* A run is brought to its end by the program that began it (store/program.h), whichever salve is asked. */
#pragma once

#include "verb/verb.h"

/* Where the hot file names another program than this one: lets it finish what is hot, with these words (`recover
 * --unattended`, `recover --restore`). 1: there is no such program, or it failed: the caller does it as well as it can.
 */
int pinned_take_over(VerbContext *context, const char *word);
