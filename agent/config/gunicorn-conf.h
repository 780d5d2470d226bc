/* SPDX-License-Identifier: Apache-2.0 */
/* Gunicorn's configuration file, which is Python: what can be read from it without running it.
 *
 * Only a plain `name = literal` on the top level is understood: an integer, a string, True, False, None. Everything
 * else that gives a known setting a value, or may do so, is reported as dynamic with its place, so that the caller
 * refuses or appends. Nothing is guessed. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef enum GunicornConfKind {
    GUNICORN_CONF_INT,
    GUNICORN_CONF_STRING,
    GUNICORN_CONF_BOOL,
    GUNICORN_CONF_NONE,
    GUNICORN_CONF_DYNAMIC, /* a value that is only known by running the file */
} GunicornConfKind;

typedef struct GunicornConfValue {
    const char *name; /* a known setting; "*" for what may set any: from x import *, globals(), exec */
    GunicornConfKind kind;
    const char *text;   /* of the value: digits, the string's content, "True"; NULL for dynamic */
    const char *reason; /* why it is dynamic: "assigned inside an indented block" */
    size_t start, end;  /* byte range of the literal; of the statement's name for dynamic */
    unsigned line, column;
    bool delayed; /* inside of a function: may run at any time, not where it stands */
} GunicornConfValue;

typedef struct GunicornConf {
    const char *path;
    Bytes text;
    VEC(GunicornConfValue) values; /* in order of the text */
} GunicornConf;

/* ERR_INVALID with position for what Python could not read: an open string or bracket, a NUL. */
int gunicorn_conf_parse(Arena *arena, const char *path, Bytes text, GunicornConf *ret, Err *err);

/* The value of a setting that counts: the last one, but one that a function sets goes first, since nobody knows when it
 * runs. NULL when the file does not mention it. */
const GunicornConfValue *gunicorn_conf_get(const GunicornConf *conf, const char *name);

/* The first place that may set any setting without naming it and that may run behind `value` (NULL: anywhere), or NULL.
 * With one, only an appended line is sure to count, and gunicorn_conf_get is not the whole truth. */
const GunicornConfValue *gunicorn_conf_wild(const GunicornConf *conf, const GunicornConfValue *value);

/* The text with the literal that counts replaced. `literal` is Python source: digits, or what escape_python made.
 * ERR_REFUSED with position when the value that counts is dynamic or the file may set it without naming it,
 * ERR_NOT_FOUND when there is none. */
int gunicorn_conf_set(Arena *arena, const GunicornConf *conf, const char *name, const char *literal, Bytes *ret,
                      Err *err);

/* The text with `name = literal` as its last line: later assignments win, and Gunicorn reads the names when the file
 * has run. */
int gunicorn_conf_append(Arena *arena, const GunicornConf *conf, const char *name, const char *literal, Bytes *ret,
                         Err *err);
