/* SPDX-License-Identifier: Apache-2.0 */
/* Errors are values. A function that can fail is `int f(..., Err *err)` and returns
 *
 *     negative   failure, described in *err (never NULL); passed up unchanged by callers, perhaps with err_prefix
 *     0          done
 *     positive   a documented outcome that the caller must handle
 *
 * One line raises an error (`return err_set(err, ERR_INVALID, "...")`), one line adds context. Messages are sentences
 * without a final full stop, grown from the inside out: "cannot plan: /etc/x: Permission denied". Only verbs print. */
#pragma once

#include <stdarg.h>

typedef enum ErrKind {
    ERR_FAILED = 1,  /* something did not work */
    ERR_INVALID,     /* bad input: usage, playbook, template; exit 2 */
    ERR_REFUSED,     /* salve will not do this, nothing was touched; exit 3 */
    ERR_BUSY,        /* another run has the lock, or the host is held; exit 6 */
    ERR_STUCK,       /* restoration or activation could not be proved; exit 5 */
    ERR_NOT_FOUND,   /* the thing named is not there */
    ERR_DENIED,      /* no permission */
    ERR_TIMEOUT,     /* a time limit passed */
    ERR_FOREIGN,     /* a file holds what neither the snapshot nor the plan knows */
    ERR_SPACE,       /* no space left (ENOSPC, EDQUOT) */
    ERR_UNREACHABLE, /* a service did not answer; exit 7 is of other hosts */
    ERR_DAMAGED,     /* a store of ours does not hold what it was given */
} ErrKind;

typedef struct Err {
    ErrKind kind;
    int errnum; /* errno where a system call failed, else 0 */
    char message[1024];
    char file[256];        /* "" or where it came from */
    unsigned line, column; /* 1-based; 0 = not known */
} Err;

/* Each returns -kind, so that raising is one line. */
int err_set(Err *err, ErrKind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Appends ": " and the text of errnum; the kind follows from errnum (ENOENT, EACCES, ENOSPC, ETIMEDOUT, ...). errnum is
 * positive. */
int err_errno(Err *err, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With the position in a file; line and column are 1-based. */
int err_at(Err *err, ErrKind kind, const char *file, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* Puts "context: " in front of the message; returns what the raising call returned. */
int err_prefix(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "file:line:column: message", or the message alone. The text lives in a buffer of the thread until the next call. */
const char *err_text(const Err *err);

/* The exit status of design.md for a verb that ends with this error. */
int err_exit_status(const Err *err);
