/* SPDX-License-Identifier: Apache-2.0 */
/* The host's settings: /etc/salve/salve.yaml, all of it optional, over the built-in defaults.
 *
 *     state: /var/lib/salve
 *     playbooks: [/etc/salve/playbooks, /usr/share/salve/playbooks]
 *     templates: [/etc/salve/templates, /usr/share/salve/templates]
 *     managed_roots: [/etc/nginx, /etc/systemd/system, ...]
 *     keep: {runs: 500, days: 365}
 *     color: auto
 */
#pragma once

#include "data/decode.h"
#include "store/ledger.h"

#define SETTINGS_PATH "/etc/salve/salve.yaml"

typedef struct Settings {
    const char *state_dir;            /* ledger, snapshots, hot file */
    const char *runtime_dir;          /* what lasts until the next boot: trails of runs, the socket for answers */
    const char *root;                 /* "" for the live host; the command line's --root */
    const char *const *playbook_dirs; /* searched in this order; NULL-terminated */
    StringVec template_dirs;          /* likewise */
    StringVec managed_roots;          /* below these `template` and `symlink` may write */
    Retention keep;                   /* which runs are remembered */
    const char *color;                /* "auto", "always" or "never" */
} Settings;

extern const StructType settings_type;

/* Settings of a host without a settings file. */
void settings_defaults(Arena *arena, Settings *ret);

/* Reads `path`; NULL: SETTINGS_PATH, which may be missing. What is wrong in the file goes to diags (-ERR_INVALID). */
int settings_load(Arena *arena, const char *path, Diagnostics *diags, Settings *ret, Err *err);
