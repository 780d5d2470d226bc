/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

__attribute__((format(printf, 3, 0))) static int raise_error(Err *err, ErrKind kind, const char *format, va_list args)
{
    char message[sizeof err->message]; /* an argument may point into *err */
    vsnprintf(message, sizeof message, format, args);
    *err = (Err){.kind = kind};
    memcpy(err->message, message, sizeof message);
    return -(int)kind;
}

int err_set(Err *err, ErrKind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int r = raise_error(err, kind, format, args);
    va_end(args);
    return r;
}

static const struct {
    int errnum;
    ErrKind kind;
} errno_kinds[] = {
    {ENOENT, ERR_NOT_FOUND},  {ENOTDIR, ERR_NOT_FOUND}, {EACCES, ERR_DENIED},
    {EPERM, ERR_DENIED},      {ENOSPC, ERR_SPACE},      {EDQUOT, ERR_SPACE},
    {ETIMEDOUT, ERR_TIMEOUT}, {EBUSY, ERR_BUSY},        {ECONNREFUSED, ERR_UNREACHABLE},
};

static ErrKind kind_of_errno(int errnum)
{
    for (size_t i = 0; i < ARRAY_LEN(errno_kinds); i++) {
        if (errno_kinds[i].errnum == errnum)
            return errno_kinds[i].kind;
    }
    return ERR_FAILED;
}

int err_errno(Err *err, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int r = raise_error(err, kind_of_errno(errnum), format, args);
    va_end(args);
    err->errnum = errnum;
    size_t len = strlen(err->message);
    snprintf(err->message + len, sizeof err->message - len, ": %s", strerror(errnum));
    return r;
}

int err_at(Err *err, ErrKind kind, const char *file, unsigned line, unsigned column, const char *format, ...)
{
    char name[sizeof err->file];
    snprintf(name, sizeof name, "%s", file ? file : "");
    va_list args;
    va_start(args, format);
    int r = raise_error(err, kind, format, args);
    va_end(args);
    memcpy(err->file, name, sizeof name);
    err->line = line;
    err->column = column;
    return r;
}

int err_prefix(Err *err, const char *format, ...)
{
    char context[sizeof err->message], message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(message, err->message, sizeof message);
    size_t len = (size_t)snprintf(err->message, sizeof err->message, "%s", context);
    if (len < sizeof err->message)
        snprintf(err->message + len, sizeof err->message - len, ": %s", message);
    return -(int)err->kind;
}

const char *err_text(const Err *err)
{
    static _Thread_local char text[sizeof(Err)];
    if (err->file[0] && err->line)
        snprintf(text, sizeof text, "%s:%u:%u: %s", err->file, err->line, err->column, err->message);
    else if (err->file[0])
        snprintf(text, sizeof text, "%s: %s", err->file, err->message);
    else
        snprintf(text, sizeof text, "%s", err->message);
    return text;
}

static const unsigned char exit_statuses[] = {
    [ERR_FAILED] = 1, [ERR_INVALID] = 2, [ERR_REFUSED] = 3, [ERR_BUSY] = 6,  [ERR_STUCK] = 5,       [ERR_NOT_FOUND] = 1,
    [ERR_DENIED] = 1, [ERR_TIMEOUT] = 1, [ERR_FOREIGN] = 3, [ERR_SPACE] = 1, [ERR_UNREACHABLE] = 1, [ERR_DAMAGED] = 1,
};

int err_exit_status(const Err *err)
{
    return err->kind < ARRAY_LEN(exit_statuses) && exit_statuses[err->kind] ? exit_statuses[err->kind] : 1;
}
