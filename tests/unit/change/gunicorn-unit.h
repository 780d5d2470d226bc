/* SPDX-License-Identifier: Apache-2.0 */
/* A Gunicorn service as it stands in many places. */
#pragma once

#include "bench.h"

#define UNIT_PATH   "/etc/systemd/system/gunicorn.service"
#define DROPIN_PATH "/etc/systemd/system/gunicorn.service.d/zz-salve.conf"
#define CONF_PATH   "/srv/site/gunicorn.conf.py"
#define ENV_PATH    "/etc/site/gunicorn.env"

/* ExecStart=, then other lines of [Service]. */
static inline void bench_gunicorn(Bench *bench, const char *exec_start, const char *lines)
{
    const char *text = arena_printf(bench->tree.arena,
                                    "[Unit]\nDescription=Site\n\n[Service]\nUser=www-data\nWorkingDirectory=/srv/site\n"
                                    "ExecStart=%s\n%s\n[Install]\nWantedBy=multi-user.target\n",
                                    exec_start, lines);
    tree_write(&bench->tree, UNIT_PATH, text);
}

#define PLAIN "/srv/venv/bin/gunicorn --bind 127.0.0.1:8000 site.wsgi:application"
