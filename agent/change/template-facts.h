/* SPDX-License-Identifier: Apache-2.0 */
/* What a template knows of the host besides the playbook's variables: maps `host`, `gunicorn`, `nginx`.
 *
 *     host.name; cpus, memory_mib (not of a tree)
 *     gunicorn.unit, program, application, directory, user, group, bind, binds, backend (as nginx names the first
 *         bind), socket (whether systemd listens), config (its file); and every setting with a value that can be told
 *         from the files: gunicorn.timeout
 *     nginx.present, config, directory, user, error_log
 *
 * What is not known is left out, so that a template that asks for it fails with its place. */
#pragma once

#include "change/change.h"

Node *facts_host(ChangeContext *context);
/* `unit`: a name or "auto". ERR_REFUSED where there is no such Gunicorn. */
int facts_gunicorn(ChangeContext *context, const char *unit, const Node **ret, Err *err);
int facts_nginx(ChangeContext *context, const Node **ret, Err *err);
