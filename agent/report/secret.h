/* SPDX-License-Identifier: Apache-2.0 */
/* Masking (promise 13): values from environment files, keys and passwords do not leave the host through a diff, an
 * event or a report. Masking is for output only; what is stored stays whole.
 *
 * Masked are the values of names that sound like secrets (PASSWORD, SECRET, TOKEN, API_KEY, ...) wherever they stand
 * (NAME=value, NAME: value, --name value, "Name value;"), passwords inside URLs, Authorization and Cookie headers, and
 * the inside of PEM private keys; in an environment file every value, except the two that salve itself sets
 * (GUNICORN_CMD_ARGS, WEB_CONCURRENCY). */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"

#define SECRET_MASK "********"

/* A whole file; the result has as many lines as the file. */
Bytes secret_mask_file(Arena *arena, Bytes content, bool is_environment_file);
/* Whether a file is one of NAME=value lines by its path or by what it holds: a record of the past does not tell which
 * files were environment files. Files of Python, nginx and units are none. */
bool secret_is_environment_file(const char *path, Bytes content);
/* One line or message. */
const char *secret_mask_text(Arena *arena, const char *text);
/* Whether the name of a setting sounds like one whose value is nobody's business. */
bool secret_is_name(const char *name, size_t len);
