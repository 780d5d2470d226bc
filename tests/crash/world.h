/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host's files: a Django site behind nginx, as small as the run under test needs it. */
#pragma once

#include "base/strbuf.h"

#define WORLD_STATE "/var/lib/salve"
#define WORLD_ENV   "/etc/site/gunicorn.env"

/* What the run under test writes: by it the simulation knows the wished configuration. */
#define WORLD_WISHED_ENV   "--timeout 60"
#define WORLD_WISHED_NGINX "proxy_read_timeout 65s"

/* The playbook of that run: a changed file with attributes of its own, another in other hands, a created file in a
 * created directory, a created file, a created link and a changed one. */
extern const char world_playbook[];

/* Creates or replaces one file, mode 0644, without any care. */
void world_write(const char *path, Bytes content);

/* The directory that everything happens in: a file system of its own (`dir` NULL: a tmpfs) with the kernel's real /proc
 * at ROOT/kernel. It goes away with this process's mount namespace. */
void world_mount(const char *dir);
const char *world_root(void); /* the simulated host's root */

void world_make(void);             /* a fresh host, nothing ever ran on it */
void world_save(const char *name); /* the host's files under a name */
void world_load(const char *name); /* and back; its services are started anew */
