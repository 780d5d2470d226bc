/* SPDX-License-Identifier: Apache-2.0 */
/* Environment files as systemd reads them (EnvironmentFile= in systemd.exec(5), parse_env_file_internal in env-file.c):
 * comments with # and ;, quotes, continuation with a backslash. No variables are expanded. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct EnvVar {
    const char *name, *value;
    bool valid;                    /* false: systemd drops it ("export X=1", a name with a dash) */
    unsigned line;                 /* of the name, 1-based */
    size_t start, end;             /* byte range of the assignment, without its line ending */
    size_t value_start, value_end; /* of the value as written, quotes included, blanks at the ends not */
} EnvVar;

typedef struct EnvFile {
    const char *path;
    Bytes text;
    VEC(EnvVar) vars; /* in order; of two with one name the later counts */
    /* A comment that ends in a backslash goes on in the next line before systemd 254 and does not since then: the file
     * means different things. 0, or the line of the first such comment. It is read as before 254. */
    unsigned doubtful_line;
    bool open_end; /* a quote, or a backslash, is still open at the end: systemd takes it as it is */
} EnvFile;

/* ERR_INVALID where systemd refuses the file: not UTF-8, a NUL. */
int env_file_parse(Arena *arena, const char *path, Bytes text, EnvFile *ret, Err *err);

/* The assignment that counts, or NULL. */
const EnvVar *env_file_get(const EnvFile *file, const char *name);

/* The text with the assignment that counts set to value, or with one appended; all other bytes as they were. The
 * value is escaped here. ERR_REFUSED for a doubtful file. */
int env_file_set(Arena *arena, const EnvFile *file, const char *name, const char *value, Bytes *ret, Err *err);
