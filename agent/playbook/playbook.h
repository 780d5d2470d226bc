/* SPDX-License-Identifier: Apache-2.0 */
/* A playbook: variables, guards, changes, checks; version 1 of the language.
 *
 * Life: a Source is found by name or path, decoded by field tables (the kinds bring theirs), and bound to values. What
 * is bound can be planned; what is only checked (bindings NULL) cannot, its unset variables have placeholders. All
 * lives in the arena given; the Source must outlive it. */
#pragma once

#include "change/change.h"
#include "check/check.h"
#include "data/decode.h"
#include "diagnose/finding.h"

typedef struct Guard {
    const FindingKind *kind;
    FindingSpec spec;
    bool require; /* else refuse */
    Pos pos;
} Guard;

typedef struct PlaybookChange {
    const ChangeKind *kind;
    const void *spec;
    Pos pos;
} PlaybookChange;

typedef struct PlaybookCheck {
    const CheckKind *kind;
    const void *spec;
    const char *name; /* unique in the playbook */
    Pos pos;
} PlaybookCheck;

typedef struct Playbook {
    const char *name, *summary;
    const Source *source;
    Scope scope; /* the variables, with their values */
    VEC(Guard) guards;
    VEC(PlaybookChange) changes;
    VEC(PlaybookCheck) checks;
    const Node *verify;        /* as it is written: the checks with all that they ask for */
    usec warmup_usec;          /* default 3s */
    usec window_usec;          /* 0: auto */
    usec interval_usec;        /* default 2s */
    usec settle_usec;          /* how long restarted services must stay up before probing begins; default 5s */
    bool keeps[VERDICT_COUNT]; /* whether a change stays with that verdict: pass; undecided by default */
} Playbook;

typedef VEC(const Playbook *) PlaybookVec;

/* A value given to a variable: `-e timeout=60s` or a line of `-e @file.yaml`. */
typedef struct Binding {
    const char *name;
    const Node *value; /* a scalar; its source says where it came from ("-e timeout") */
} Binding;

typedef VEC(Binding) BindingVec;

/* `text` is "key=value" or "@file.yaml" (a map of scalars); ERR_INVALID with what is wrong. */
int binding_add(Arena *arena, const char *text, BindingVec *bindings, Err *err);
/* From a map that playbook_values made. */
int bindings_from_values(Arena *arena, const Node *values, BindingVec *bindings, Err *err);

/* Where playbooks are looked for, in this order; NULL-terminated. */
extern const char *const playbook_directories[];

/* By path (has a slash or ends in .yaml) or by name in `directories`. Running as root, a file that others than root may
 * write (it or its directory) is ERR_REFUSED. ERR_NOT_FOUND names the nearest playbook. */
int playbook_find(Arena *arena, const char *const *directories, const char *name, const Source **ret, Err *err);

/* Decodes and, with bindings, binds: then every variable has a value or there is an error. All problems go to diags; 0
 * where there was no error (warnings may be there), else ERR_INVALID with the summary of diags. */
int playbook_load(Arena *arena, const Source *source, const BindingVec *bindings, Diagnostics *diags,
                  const Playbook **ret, Err *err);

/* All playbooks in the directories, by name; of two with one name the first directory's. Broken ones only in diags. */
int playbook_list(Arena *arena, const char *const *directories, Diagnostics *diags, PlaybookVec *ret, Err *err);

/* The variables and their values as a JSON object of texts, in the order of declaration. */
Node *playbook_values(Arena *arena, const Playbook *playbook);

/* The JSON Schema of the language (draft 2020-12), and its reference manual in Markdown; both from the tables. */
Node *playbook_schema(Arena *arena);
void playbook_reference(StrBuf *out);
