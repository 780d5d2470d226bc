/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host: what of it lives outside of the files that salve manages.
 *
 * A run happens in a child process that is chrooted into a tree in which files, SQLite, libgit2, lock and hot file are
 * real. systemd, the services behind it, validators, HTTP and the passing of time are not: they are kept here, in
 * memory that the child shares with the driver, so that a service outlives a salve that is killed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "store/run-record.h"

enum { SIM_WORKERS = 2, SIM_DROPINS = 8, SIM_TEXT = 8192, SIM_EDITS = 16, SIM_DEEDS = 8 };

#define SIM_GUNICORN "gunicorn.service"
#define SIM_NGINX    "nginx.service"

/* --- Faults (inject.h) --- */

typedef enum FaultKind {
    FAULT_NONE,
    FAULT_KILL_BEFORE, /* SIGKILL right before the operation */
    FAULT_KILL_AFTER,  /* right after it */
    FAULT_ENOSPC,
    FAULT_EIO,
    FAULT_EROFS,
    FAULT_NO_MEMORY, /* an allocation fails; `at` counts allocations */
    FAULT_KIND_COUNT
} FaultKind;

typedef struct Fault {
    FaultKind kind;
    unsigned long at; /* counted from 1 */
    bool lasting;     /* at `at` and from then on */
} Fault;

typedef struct Injector {
    Fault fault;
    unsigned long reached; /* durable operations so far, of all processes of this run */
    unsigned long managed; /* of these, below /etc */
    unsigned long allocations;
    char where[256];  /* the operation at which the fault struck: "rename /etc/x" */
    ino_t unreadable; /* reading this file fails with EIO, so many times */
    unsigned unreadable_times;
    bool unreadable_kills; /* or ends the process, at once */
    bool listing;          /* each operation is printed */
    /* Called at each operation, before it: somebody else at work on the same host. */
    void (*stranger)(const char *operation, const char *path);
} Injector;

/* --- Services --- */

typedef struct Service {
    const char *unit; /* a literal: the same address in all processes */
    bool active, failed;
    unsigned main_pid, workers[SIM_WORKERS];
    char invocation[33];
    char uses[65];  /* hash of the configuration that its processes loaded */
    bool uses_mark; /* and whether that is what the run under test wishes */
} Service;

/* What the next process will do. */
typedef struct Knobs {
    bool new_is_sick;         /* with the wished configuration, requests are answered with 500 */
    bool new_does_not_start;  /* with the wished configuration, Gunicorn does not start */
    bool candidate_is_broken; /* validators refuse it */
    bool host_shuts_down;
    bool cancelled_when_verified; /* somebody cancels between the last check and the end */
    bool asks_where_nobody_can;   /* for a confirmation, over a socket that cannot be */
    bool systemd_is_deaf;         /* it is not reached, */
    unsigned long deaf_after;     /* once so many jobs were done */
    bool others_restart;          /* somebody else restarts Gunicorn again and again, once a job was done */
} Knobs;

/* How the last process ended; `done` false: it did not come to an end. */
typedef struct Outcome {
    bool done;
    int r;          /* as engine_run: negative: it could not begin */
    int kind;       /* ErrKind where r is negative */
    RunState state; /* where it ended */
    bool blamed;    /* as its record says */
    char text[512]; /* error or reason */
} Outcome;

/* What the plan of the run under test does to one path: tree_hash_path of both sides. */
typedef struct SimEdit {
    char path[128];
    char sides[2][17];
} SimEdit;

/* A deed of somebody else during the run under test (stranger.h). */
typedef struct Deed {
    char path[128];
    unsigned tag; /* what was written holds "# foreign TAG"; 0: nothing was written */
} Deed;

typedef struct Sim {
    Injector injector;
    Knobs knobs;
    Outcome outcome;
    Service services[2];
    char loaded[SIM_TEXT]; /* systemd's memory: what unit file and drop-ins said at the last daemon-reload */
    char dropins[SIM_DROPINS][128];
    size_t dropin_count;
    SimEdit edits[SIM_EDITS];
    size_t edit_count;
    Deed deeds[SIM_DEEDS];
    size_t deed_count;
    unsigned last_tag;
    struct {
        unsigned long at[2]; /* operations before which somebody else acts; 0: none */
        uint64_t random;
        Fault then; /* of stranger_race */
    } stranger;
    struct {
        long rss_pages;
        unsigned descriptors;
    } resident; /* of the process that lives through many runs */
    unsigned last_pid;
    usec skew;           /* how far the clocks have been put forward instead of waiting */
    unsigned long cries; /* what the journal was told at priority crit */
    unsigned long jobs;  /* daemon-reload, restart, reload ... since the last sim_forget */
    char sides[2][65];   /* tree_hash of the files wholly old and wholly new; "": not known */
    char mixed[128];     /* the first job that was done while the files were neither, else "" */
} Sim;

extern Sim *sim;

void sim_create(void);
/* Before a process: what counted the last one. */
void sim_forget(void);

/* The services (services.c). `root` is "" inside of the simulated host. */
void services_boot(const char *root);     /* all started anew, with what is on disk */
void services_restart(const char *root);  /* likewise, without forgetting anything else */
void services_load_units(void);           /* daemon-reload */
bool services_start(Service *service);    /* false: it failed */
bool services_reload(Service *service);   /* false: it rejected the configuration and runs on */
Service *services_find(const char *unit); /* NULL: none */
/* NULL, or what runs otherwise than the disk says. */
const char *services_disagree(const char *root);
