/* SPDX-License-Identifier: Apache-2.0 */
/* How a value is written so that the language of a file reads back exactly that value (promise 9).
 *
 * Each function appends the escaped text to `out` and returns 0, or ERR_INVALID, with nothing appended, for what the
 * language cannot hold. A value that needs no quoting is written plainly. Rules: nginx ngx_conf_read_token,
 * systemd.syntax(7) and systemd.exec(5), Python's lexical analysis. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"

/* One argument of a directive. A `$` stays as it is: nginx has no escape for it. */
int escape_nginx(StrBuf *out, const char *text, Err *err);
/* One word of a command line in ExecStart=, after the program: % and $ are doubled. */
int escape_systemd(StrBuf *out, const char *text, Err *err);
/* The whole value of a setting that is one string (not split into words): % doubled; no line breaks, no blanks at the
 * ends, no backslash at the end. */
int escape_systemd_value(StrBuf *out, const char *text, Err *err);
/* A string literal with its quotes. The text must be UTF-8. */
int escape_python(StrBuf *out, const char *text, Err *err);
/* The value of an assignment in an EnvironmentFile. */
int escape_env(StrBuf *out, const char *text, Err *err);
/* One word of GUNICORN_CMD_ARGS, which Gunicorn splits with Python's shlex. */
int escape_shlex(StrBuf *out, const char *text, Err *err);
/* As it is. */
int escape_raw(StrBuf *out, const char *text, Err *err);

typedef int (*Escaper)(StrBuf *out, const char *text, Err *err);

/* nginx, systemd, systemd-value, python, env, shlex, raw; NULL for another name. */
Escaper escape_by_name(const char *name);
/* The names, NULL-terminated, for messages and schemas. */
const char *const *escape_names(void);
