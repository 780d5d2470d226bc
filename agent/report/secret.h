/* SPDX-License-Identifier: Apache-2.0 */
/* Masking of whole files (promise 13), for diffs. In an environment file every value is a secret, except of the two
 * variables that salve itself sets (GUNICORN_CMD_ARGS, WEB_CONCURRENCY); in all others what config/secret.h finds. */
#pragma once

#include <stdbool.h>

#include "config/secret.h"

/* A whole file; the result has as many lines as the file. */
Bytes secret_mask_file(Arena *arena, Bytes content, bool is_environment_file);
/* Whether a file is one of NAME=value lines by its path or by what it holds: a record of the past does not tell which
 * files were environment files. Files of Python, nginx and units are none. */
bool secret_is_environment_file(const char *path, Bytes content);
