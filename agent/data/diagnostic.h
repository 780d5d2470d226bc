/* SPDX-License-Identifier: Apache-2.0 */
/* Errors and warnings about what a person wrote, several at once, printed like a compiler does:
 *
 *     playbooks/x.yaml:12:9: unknown key "restrat" in change "unit" (did you mean "restart"?)
 *        12 |         restrat: true
 *           |         ^
 *
 * Whoever reads input adds to a Diagnostics and goes on; at the end the caller renders all, or turns them into an Err.
 * At most DIAGNOSTICS_MAX are kept, the others are counted. */
#pragma once

#include "base/err.h"
#include "data/node.h"

enum { DIAGNOSTICS_MAX = 40 };

typedef enum Severity { SEVERITY_ERROR, SEVERITY_WARNING } Severity;

typedef struct Diagnostic {
    Severity severity;
    const Source *source; /* NULL: no place to point at */
    Pos pos;
    const char *message; /* a sentence without full stop */
    const char *hint;    /* NULL, or what to do, shown in parentheses after the message */
} Diagnostic;

typedef struct Diagnostics {
    Arena *arena;
    VEC(Diagnostic) items;
    size_t errors, warnings; /* all, also those that were not kept */
    bool last_dropped;
} Diagnostics;

/* The arena must outlive the Diagnostics, and the sources that are pointed at too. */
Diagnostics diagnostics_new(Arena *arena);

/* At a node (NULL: without a place). Each returns false, so that a failing decoder is one line. */
bool diag_error(Diagnostics *diags, const Node *node, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool diag_warning(Diagnostics *diags, const Node *node, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool diag_error_at(Diagnostics *diags, const Source *source, Pos pos, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Gives the newest entry its hint; diag_did_you_mean only where a candidate is near `word`. */
void diag_hint(Diagnostics *diags, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_did_you_mean(Diagnostics *diags, const char *word, const char *const *candidates);

/* Takes over an error that another function raised. An Err without a place is put at `node` (NULL: nowhere). */
bool diag_from_err(Diagnostics *diags, const Node *node, const Err *err);

/* Adds all of `other` (same arena or a longer-lived one). */
void diagnostics_append(Diagnostics *diags, const Diagnostics *other);

/* By source, line and column; errors at one place stay in the order in which they came. */
void diagnostics_sort(Diagnostics *diags);

/* Sorts, then prints all with their lines; a last line says how many were not kept. `colour`: ANSI sequences. What
 * could steer a terminal is shown as an escape (base/safe-text.h). */
void diagnostics_render(Diagnostics *diags, bool colour, StrBuf *out);

/* One object per entry: {severity, file, line, column, message, hint}, for --json. */
Node *diagnostics_to_node(Arena *arena, Diagnostics *diags);

/* 0 where there are no errors (warnings do not count); else ERR_INVALID with the first by position, "and N more". */
int diagnostics_to_err(Diagnostics *diags, Err *err);
