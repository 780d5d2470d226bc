/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a Gunicorn service from the files of a view: its command line, each setting with where it comes
 * from, and where it listens.
 *
 * Precedence, lowest first: default, WEB_CONCURRENCY (of workers), configuration file, GUNICORN_CMD_ARGS, command line
 * (domain facts 1.4). Results live in the view's arena; load again after an edit. */
#pragma once

#include "config/gunicorn-conf.h"
#include "config/gunicorn.h"
#include "stack/unit.h"

typedef enum GunicornOrigin {
    GUNICORN_FROM_DEFAULT,
    GUNICORN_FROM_WEB_CONCURRENCY,
    GUNICORN_FROM_FILE,     /* the configuration file */
    GUNICORN_FROM_CMD_ARGS, /* GUNICORN_CMD_ARGS */
    GUNICORN_FROM_COMMAND,  /* ExecStart= */
} GunicornOrigin;

const char *gunicorn_origin_to_string(GunicornOrigin origin); /* "the command line", "the configuration file" ... */

/* One place that gives a setting a value. */
typedef struct GunicornValue {
    const GunicornSetting *setting;
    GunicornOrigin origin;
    const char *value;     /* as text; "True"/"False" of switches; NULL: None, or dynamic */
    bool dynamic;          /* the configuration file computes it: not known without running it */
    const char *reason;    /* why it is dynamic */
    const char *path;      /* the file that holds it: unit file, environment file, configuration file; NULL: default */
    unsigned line, column; /* 0: not known */
    size_t index;          /* COMMAND: of the flag's word in GunicornFacts.argv; CMD_ARGS: in GunicornFacts.cmd_args */
    size_t words;          /* as GunicornFlag.words */
} GunicornValue;

typedef VEC(GunicornValue) GunicornValueVec;

typedef enum GunicornWrapper {
    GUNICORN_PLAIN,   /* the program itself, python -m gunicorn, or env(1) in front: flags can be appended */
    GUNICORN_WRAPPED, /* sh -c, a runner, a script: appended flags may not arrive; `wrapper_reason` */
} GunicornWrapper;

typedef struct GunicornFacts {
    const Unit *unit;
    UnitEnvironment environment;
    UnitExec exec; /* exec.argv is `argv` */
    StringVec argv;
    size_t program; /* index in argv of the word "gunicorn" (of `-m gunicorn`: of "gunicorn"); arguments follow it */
    GunicornWrapper wrapper;
    const char *wrapper_reason;
    GunicornArgs args;                   /* of the command line; indexes count from argv[program + 1] */
    StringVec cmd_args;                  /* the words of GUNICORN_CMD_ARGS */
    GunicornArgs env_args;               /* of them */
    const UnitEnv *cmd_args_from;        /* the definition of GUNICORN_CMD_ARGS that counts; NULL: none */
    const UnitEnv *web_concurrency_from; /* likewise */
    const char *application;             /* "project.wsgi:application"; NULL: wsgi_app of the file, or none */
    const char *directory;               /* chdir, else the working directory */
    const GunicornConf *conf;            /* the configuration file; NULL: none is read */
    const char *conf_path;               /* its path even where it is absent; NULL: none is named and there is no
                                            gunicorn.conf.py */
    GunicornOrigin conf_from;            /* what named it; GUNICORN_FROM_DEFAULT: gunicorn.conf.py in the directory */
    GunicornValueVec values;      /* every definition of every setting; of one setting, the one that counts first */
    const char *worker_class;     /* effective: "gthread" for sync with more than one thread; NULL: dynamic */
    bool timeout_limits_requests; /* only sync workers; `timeout_reason` says why not */
    const char *timeout_reason;
    AddressVec binds; /* where it listens: of its sockets where it is socket-activated, else its bind settings */
    UnitSocketVec sockets;
    const char *error_log; /* absolute path of the file; NULL: standard error, that is the journal */
    StringVec files;       /* all that makes up its configuration: fragment, drop-ins, environment files, conf */
} GunicornFacts;

enum { GUNICORN_NOT = 1 };

/* GUNICORN_NOT: the service does not run Gunicorn (ret untouched). A unit that is not there, is masked or is a template
 * is ERR_REFUSED. */
int gunicorn_load(View *view, const char *unit, const GunicornFacts **ret, Err *err);

/* The value that counts; never NULL for a name of the table (then at least the default). */
const GunicornValue *gunicorn_value(const GunicornFacts *facts, const char *name);
/* All definitions of a setting, the one that counts first, the default last. */
void gunicorn_definitions(const GunicornFacts *facts, const char *name, GunicornValueVec *ret);
/* A non-negative integer setting. ERR_REFUSED with the place where it is dynamic or no number. */
int gunicorn_int(const GunicornFacts *facts, const char *name, uint64_t *ret, Err *err);
/* "--timeout 30 on the command line (/etc/systemd/system/gunicorn.service:9)": for people. */
char *gunicorn_describe(Arena *arena, const GunicornValue *value);

/* Names of all services in the view that run Gunicorn. Services whose files cannot be read are passed over. */
int gunicorn_units(View *view, StringVec *ret, Err *err);
/* The full name of the service asked for. "auto": the only one; none or several is ERR_REFUSED and lists them. A name
 * is checked: it exists, is no bare template, is not masked, and runs Gunicorn. */
int gunicorn_resolve_unit(View *view, const char *name, const char **ret, Err *err);
