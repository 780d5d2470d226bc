/* SPDX-License-Identifier: Apache-2.0 */
/* What a host has to offer, as words for completion: one a line, nothing where there is nothing. */
#pragma once

#include "verb/verb.h"

/* Names of playbooks. */
int catalogue_words(VerbContext *context, StrBuf *out, Err *err);
/* Ids of runs, newest first. */
int catalogue_runs(VerbContext *context, StrBuf *out, Err *err);
