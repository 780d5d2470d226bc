/* SPDX-License-Identifier: Apache-2.0 */
/* Which units read a file: what an edit of it makes necessary, and who else is affected. */
#pragma once

#include "stack/view.h"

typedef enum ReaderHow {
    READER_FRAGMENT,    /* it is the unit's file */
    READER_DROPIN,      /* it is a drop-in of the unit */
    READER_ENVIRONMENT, /* an EnvironmentFile= of it */
    READER_COMMAND,     /* its command line names the file */
    READER_GUNICORN,    /* Gunicorn's configuration file */
    READER_NGINX,       /* nginx includes it */
} ReaderHow;

const char *reader_how_to_string(ReaderHow how); /* "unit file", "environment file" ... */

typedef struct Reader {
    const char *unit;
    ReaderHow how;
    bool gunicorn; /* the unit is a Gunicorn service */
} Reader;

typedef VEC(Reader) ReaderVec;

/* Services, sockets and other units by the view as it is now; paths are compared with symlinks resolved. A removed
 * file's readers are those of view_before(view): ask both. Each unit once, with the first of the ways that applies. */
int readers_of(View *view, const char *path, ReaderVec *ret, Err *err);
