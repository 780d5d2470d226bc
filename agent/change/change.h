/* SPDX-License-Identifier: Apache-2.0 */
/* A change is one typed wish of a playbook; a change kind maps (view, values) to a view.
 *
 * A kind is one file with a ChangeKind and one row in change_kinds (change/change.c). `apply` reads and edits
 * context->view and nothing else: it starts no program and touches nothing; reading /proc and D-Bus properties through
 * stack/ is fine. What the plan should tell a person goes into the notes. */
#pragma once

#include "base/clock.h"
#include "data/decode.h"
#include "stack/view.h"

typedef enum NoteLevel {
    NOTE_INFO,    /* "timeout is 90s already, at_least 60s: kept" */
    NOTE_WARNING, /* "worker class is gthread: timeout does not limit requests" */
} NoteLevel;

typedef struct Note {
    NoteLevel level;
    const char *subject; /* unit, site or path */
    const char *text;
} Note;

typedef VEC(Note) NoteVec;

/* What a finished set of changes must lead to besides the edits: effects that follow from no edit (a `restart`), and
 * proofs to make after activation. */
typedef enum WishKind {
    WISH_RESTART,    /* restart subject though no file changed */
    WISH_SETTING,    /* after the restart, Gunicorn setting `name` of unit `subject` must be `value` in the running
                        processes */
    WISH_PROPERTY,   /* after daemon-reload, systemd property `name` of unit `subject` must read back as `value` */
    WISH_MAY_AFFECT, /* the playbook said that unit `subject` may be restarted along (also_affects) */
} WishKind;

typedef struct Wish {
    WishKind kind;
    const char *subject, *name, *value;
} Wish;

typedef VEC(Wish) WishVec;

struct Live; /* stack/live.h: what runs now; NULL with --root */

typedef struct ChangeContext {
    Arena *arena;
    View *view;
    struct Live *live;
    const StringVec *template_dirs; /* where `template` finds templates, in order */
    const StringVec *managed_roots; /* below these `template` and `symlink` may write */
    const char *playbook;           /* its file, for comments in generated files */
    const Scope *variables;         /* the playbook's, bound: what templates may use besides facts */
    NoteVec notes;
    WishVec wishes;
    StringVec concerned; /* services that the changes are about, edited or not: they must run what the files say */
    StringVec wished;    /* likewise files: whoever reads one of them */
    usec longest_request_usec; /* raised by changes that set how long a request may take; 0 = unknown. Sizes `window:
                                  auto`. */
} ChangeContext;

typedef struct ChangeKind {
    const char *name, *help;
    const Field *fields;
    size_t spec_size;
    /* Problems that no field table can express, told without a host; NULL if there are none. Called by lint and before
     * a run; ERR_INVALID. */
    int (*lint)(const void *spec, Err *err);
    /* ERR_REFUSED with the reason and what to do instead when the wish cannot have its effect. */
    int (*apply)(ChangeContext *context, const void *spec, Err *err);
} ChangeKind;

extern const ChangeKind *const change_kinds[]; /* NULL-terminated */
const ChangeKind *change_kind_find(const char *name);

void change_note(ChangeContext *context, NoteLevel level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Each once. */
void change_concerns(ChangeContext *context, const char *unit);
void change_concerns_file(ChangeContext *context, const char *path);
void change_wish(ChangeContext *context, WishKind kind, const char *subject, const char *name, const char *value);
