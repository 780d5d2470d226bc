/* SPDX-License-Identifier: Apache-2.0 */
/* Code that nginx loads as root while it only tests its configuration: modules, engines, scripts. */
#pragma once

#include "stack/nginx.h"

/* ERR_REFUSED, with the place of the directive, where somebody but root can write what it loads. */
int nginx_check_code(const NginxFacts *facts, Err *err);
