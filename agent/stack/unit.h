/* SPDX-License-Identifier: Apache-2.0 */
/* A systemd unit from the files of a view alone: no D-Bus, so that it works with --root and sees pending edits.
 *
 * Rules: systemd.unit(5) (load path, aliases, drop-ins), systemd.exec(5) (environment), seen with systemd 252. Results
 * live in the view's arena and describe the view as it was when they were made: load again after an edit. */
#pragma once

#include "config/env-file.h"
#include "config/unit-command.h"
#include "config/unit-file.h"
#include "stack/address.h"
#include "stack/view.h"

typedef struct Unit {
    const char *name;     /* primary: the fragment's own name, where the name asked for is an alias (a symlink) */
    const char *prefix;   /* "x" of x@i.service; else the name without its type */
    const char *instance; /* "i" of x@i.service; NULL: not an instance */
    const char *type;     /* "service", "socket" */
    bool masked;          /* the name is a link to /dev/null, or an empty file; nothing else is filled in then */
    bool template_only;   /* x@.service itself: can be read, cannot run */
    const char *fragment; /* where the load path has it: /etc/systemd/system/x.service (maybe a symlink) */
    StringVec dropins;    /* paths, in the order in which they apply */
    UnitFileVec files;    /* parsed: the fragment, then the drop-ins */
    UnitSpecifiers specifiers;
} Unit;

enum { UNIT_NOT_FOUND = 1 };

/* "gunicorn" is "gunicorn.service". UNIT_NOT_FOUND: no fragment in any place. ERR_INVALID: not a unit name, or a file
 * that systemd would refuse. */
int unit_load(View *view, const char *name, const Unit **ret, Err *err);
/* salve's own transient units: the judges of a candidate, and the carriers of runs. */
#define UNIT_CHECK_PREFIX "salve-check-"
#define UNIT_RUN_PREFIX   "salve-run-"
/* Whether the unit is one of salve's own, which are never a part of the stack. */
bool unit_is_salves(const char *name);

/* All names of a type ("service"), sorted: files of the load path and enabled instances; without templates, aliases,
 * masked ones and salve's own. */
int unit_names(View *view, const char *type, StringVec *ret, Err *err);
/* Units whose fragment or drop-ins hold the text somewhere: a quick way to those worth loading. Names as unit_names has
 * them, of all types. */
int unit_mentioning(View *view, const char *text, StringVec *ret, Err *err);
/* As above, by a test of the text. */
typedef bool (*UnitFits)(void *ctx, Bytes content);
int unit_fitting(View *view, UnitFits test, void *ctx, StringVec *ret, Err *err);
/* Units to which a unit file of that name, or the drop-ins in its NAME.d, apply: itself, the instances of a template,
 * all that begin with "a-" for a-.service, all of a type for "service". */
int unit_applying(View *view, const char *file, StringVec *ret, Err *err);
const char *unit_name_complete(Arena *arena, const char *name); /* adds ".service" where there is no type */

/* The value of a setting that stands once: the last assignment; NULL when there is none or it was emptied. Not
 * expanded. */
const char *unit_value(const Unit *unit, const char *section, const char *key);
/* As above with specifiers expanded; what cannot be expanded from files is ERR_INVALID. *ret NULL when there is none.
 */
int unit_value_expanded(View *view, const Unit *unit, const char *section, const char *key, const char **ret, Err *err);
/* WorkingDirectory= with specifiers; "/" by default; "~" is the home of User= where /etc/passwd has it. */
int unit_working_directory(View *view, const Unit *unit, const char **ret, Err *err);

/* One definition of an environment variable. Values from files are secrets (promise 13): never print them. */
typedef struct UnitEnv {
    const char *name, *value;
    const char *path; /* the unit file or the environment file that holds it */
    unsigned line;
    bool from_file;             /* an EnvironmentFile= */
    bool in_effect;             /* the definition that counts */
    const UnitSetting *setting; /* the Environment= or EnvironmentFile= assignment */
} UnitEnv;

typedef VEC(UnitEnv) UnitEnvVec;

/* An EnvironmentFile= after specifiers and globbing. */
typedef struct UnitEnvFile {
    const char *path;
    bool optional; /* "-" */
    bool present;
    const UnitSetting *setting;
} UnitEnvFile;

typedef struct UnitEnvironment {
    UnitEnvVec vars; /* in systemd's order: Environment=, then the files; of one name the last counts */
    VEC(UnitEnvFile) files;
} UnitEnvironment;

int unit_environment(View *view, const Unit *unit, UnitEnvironment *ret, Err *err);
/* The definition that counts, or NULL. */
const UnitEnv *unit_env(const UnitEnvironment *environment, const char *name);

/* The command of ExecStart=. */
typedef struct UnitExec {
    const UnitSetting *setting; /* where it stands */
    UnitCommand command;
    StringVec argv;      /* as the process gets it: specifiers and variables expanded */
    const char *inexact; /* NULL, or why argv may differ from what systemd runs: "%h needs the manager" */
} UnitExec;

enum { UNIT_NO_COMMAND = 1 };

/* ERR_REFUSED where there are several (systemd accepts that for Type=oneshot only). */
int unit_exec_start(View *view, const Unit *unit, const UnitEnvironment *environment, UnitExec *ret, Err *err);

/* A socket unit that starts this service: Service= names it, or it has the service's name (Accept=no). */
typedef struct UnitSocket {
    const char *name;
    AddressVec listen;       /* ListenStream= */
    UnitSettingVec settings; /* the assignment of each */
} UnitSocket;

typedef VEC(UnitSocket) UnitSocketVec;

int unit_sockets(View *view, const Unit *unit, UnitSocketVec *ret, Err *err);
/* Where a socket unit listens. */
int unit_socket_read(View *view, const Unit *socket, UnitSocket *ret, Err *err);

/* A directory of RuntimeDirectory= that systemd removes, with all that lies in it, whenever the service stops: the
 * unit has no RuntimeDirectoryPreserve=restart or yes. */
typedef struct UnitDirectory {
    const char *path; /* "/run/NAME" */
    const UnitSetting *setting;
} UnitDirectory;

typedef VEC(UnitDirectory) UnitDirectoryVec;

/* Whether the path lies in it. */
bool unit_directory_holds(const UnitDirectory *directory, const char *path);
int unit_passing_directories(View *view, const Unit *unit, UnitDirectoryVec *ret, Err *err);

/* A stream address of a socket unit that lies in a directory: its name goes when the directory does. */
typedef struct UnitSocketName {
    const char *socket; /* the socket unit */
    const char *path;
    const UnitSetting *setting; /* ListenStream= */
    const UnitDirectory *directory;
    bool own; /* the socket unit starts the service whose directory it is */
} UnitSocketName;

typedef VEC(UnitSocketName) UnitSocketNameVec;

/* Names of all socket units that a stop of the service takes away. */
int unit_passing_sockets(View *view, const Unit *unit, UnitSocketNameVec *ret, Err *err);

typedef struct UnitRelation {
    const char *unit;    /* the other one */
    const char *setting; /* "PartOf=", "Requires=", "BindsTo=", ... */
} UnitRelation;

typedef VEC(UnitRelation) UnitRelationVec;

/* Units that a restart of `name` would stop or restart along, by the files: PartOf=, Requires=, BindsTo= or
 * Requisite= on it, or a link in a .requires directory; followed from unit to unit. A socket is among them only where
 * it says so itself. */
int unit_pulled_along(View *view, const char *name, UnitRelationVec *ret, Err *err);

#define UNIT_DROPIN_NAME "zz-salve.conf"

/* "/etc/systemd/system/NAME.d/zz-salve.conf" */
const char *unit_dropin_path(Arena *arena, const Unit *unit);
/* The assignment of a setting in a drop-in that would apply after ours and so win over it; NULL: ours wins. */
const UnitSetting *unit_dropin_beaten_by(const Unit *unit, const char *section, const char *key);
