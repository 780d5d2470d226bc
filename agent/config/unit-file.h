/* SPDX-License-Identifier: Apache-2.0 */
/* systemd unit files: sections and assignments as conf-parser.c reads them (systemd.syntax(7)), and the view over a
 * fragment and its drop-ins, where later assignments count and an empty one resets a list.
 *
 * The values here are what stands in the file, continuation lines joined. Splitting into words and expansion are in
 * config/unit-command.h. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "config/unit-time.h"

typedef struct UnitSetting {
    const char *section, *key;
    const char *value; /* "" for an empty assignment */
    const char *file;
    unsigned line;     /* of the key, 1-based */
    size_t start, end; /* byte range of the assignment, all its lines, without the last line ending */
} UnitSetting;

typedef VEC(UnitSetting) UnitSettingVec;

/* A line that systemd would ignore with a warning: "Missing '='", "Assignment outside of section". */
typedef struct UnitIssue {
    const char *file;
    unsigned line;
    const char *message;
} UnitIssue;

typedef struct UnitFile {
    const char *path;
    Bytes text;
    UnitSettingVec settings; /* in order of the text */
    VEC(UnitIssue) issues;
} UnitFile;

/* ERR_INVALID with position where systemd refuses the whole file: a bad section header, a line over 1 MiB, a NUL. */
int unit_file_parse(Arena *arena, const char *path, Bytes text, UnitFile *ret, Err *err);

/* The fragment first, then its drop-ins in the order of the unit's DropInPaths. */
typedef VEC(const UnitFile *) UnitFileVec;

/* Of a list setting (ExecStart=, Environment=, EnvironmentFile=): the assignments that count, in order: those behind
 * the last empty one. */
void unit_list(Arena *arena, const UnitFileVec *files, const char *section, const char *key, UnitSettingVec *ret);
/* Of any other setting: the last assignment (its value may be empty: back to the default), or NULL. */
const UnitSetting *unit_last(const UnitFileVec *files, const char *section, const char *key);

/* Renders a drop-in: a comment line, then sections with their assignments in the order given. Values are written as
 * they are: escaped before. A line break in one, or a backslash that would
 * continue it, is ERR_INVALID. section NULL means: as the one before. */
typedef struct UnitAssignment {
    const char *section, *key, *value;
} UnitAssignment;
int unit_render(Arena *arena, const char *comment, const UnitAssignment *assignments, size_t n, Bytes *ret, Err *err);
