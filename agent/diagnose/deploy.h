/* SPDX-License-Identifier: Apache-2.0 */
/* What was changed lately under a service: release links, code, packages, its configuration. Only looks at times. */
#pragma once

#include "diagnose/finding.h"

typedef struct DeployPlaces {
    const char *directory;   /* the working directory, symlinks and all; NULL: none */
    const char *interpreter; /* argv[0]; a virtual environment around it is looked at; NULL: none */
    const StringVec *files;  /* configuration; NULL: none */
    const StringVec *own;    /* of those, what salve wrote itself; NULL: none */
} DeployPlaces;

typedef struct Recent {
    usec when;
    const char *what; /* "release link /srv/site/current", "project/views.py (and 3 more files) in /srv/site/current" */
} Recent;

typedef VEC(Recent) RecentVec;

enum { DEPLOY_MOST_ENTRIES = 20000, DEPLOY_MOST_DEPTH = 8 };

/* Everything that changed after `since`, oldest first. Code counts by the later of mtime and ctime, since rsync and tar
 * set the first back; configuration by its mtime, since putting a file back changes its ctime. *ret_cut: there was more
 * to look at than DEPLOY_MOST_ENTRIES. */
void deploy_scan(Arena *arena, const char *root, const DeployPlaces *places, usec since, RecentVec *ret, bool *ret_cut);
