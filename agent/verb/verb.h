/* SPDX-License-Identifier: Apache-2.0 */
/* A verb is one command: one file here with a Verb, one row in `verbs`. Its table of options is its parser, its --help
 * and its shell completion.
 *
 * Verbs are the only place that prints. What they print is made by report/ from plain data; errors come up to
 * verb_main, which prints them once and turns them into the exit status of design.md. */
#pragma once

#include "run/settings.h"
#include "verb/options.h"

/* Options that every verb takes, before or behind its name. */
typedef struct Globals {
    bool json, quiet, verbose, help, version;
    const char *root, *state, *config, *color;
} Globals;

typedef struct Verb Verb;

typedef struct VerbContext {
    Arena *arena;
    const Verb *verb;
    const Globals *globals;
    const Settings *settings; /* with --state and --root applied; NULL for a verb that is `plain` */
    const void *options;      /* the verb's struct, filled by its table */
    StringVec arguments;
    bool colour;  /* of standard output */
    bool carried; /* set by a verb whose run another process carries, which also prunes */
} VerbContext;

struct Verb {
    const char *name, *summary;
    const char *arguments; /* "PLAYBOOK", "[UNIT]"; "" for none */
    const char *details;   /* paragraphs for --help; NULL: the summary says it all */
    const Option *options; /* NULL: none of its own */
    size_t options_size;
    unsigned min_arguments, max_arguments; /* VERB_MANY: no limit */
    Completes completes;                   /* what its arguments are */
    bool takes_root;                       /* works on a tree (--root) */
    bool takes_command;                    /* its arguments are another command line */
    bool hidden;                           /* not for people: left out of help and completion */
    bool plain;                            /* reads no settings */
    bool prunes;                           /* may end a run: old ones are removed when everything is told */
    /* Negative: an error that is still to be printed. Else the exit status. */
    int (*run)(VerbContext *context, Err *err);
};

#define VERB_MANY 10000u

extern const Verb *const verbs[]; /* NULL-terminated, in the order of the help */
extern const Option global_options[];

const Verb *verb_find(const char *name);
int verb_main(int argc, char **argv);

/* Writes what was rendered to standard output; a text that was cut at its maximum, or an output that cannot be written,
 * is an error. */
int verb_print(const StrBuf *text, Err *err);
/* The same for a tree: one JSON object and a newline. */
struct Node;
int verb_print_json(const struct Node *node, Err *err);
/* The same on one line: what commands print that may print events (JSON Lines) before it. */
int verb_print_json_line(const struct Node *node, Err *err);

/* verb/help.c */
void help_of_program(bool colour, StrBuf *out);
void help_of_verb(const Verb *verb, bool colour, StrBuf *out);

/* verb/completion.c: the completion script for "bash", "zsh" or "fish"; ERR_INVALID for another shell. */
int completion_script(const char *shell, StrBuf *out, Err *err);

extern const Verb verb_list, verb_lint, verb_diagnose, verb_plan, verb_run, verb_confirm, verb_cancel, verb_rollback,
    verb_recover, verb_hold, verb_release, verb_lock, verb_status, verb_history, verb_show, verb_schema, verb_help,
    verb_completion, verb_due, verb_carry;
