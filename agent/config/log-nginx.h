/* SPDX-License-Identifier: Apache-2.0 */
/* The two formats of nginx, for log-line.c. Like log_line_parse: 1 and *ret set, or 0. */
#pragma once

#include "config/log-line.h"

int log_parse_nginx_error(Bytes line, LogLine *ret);
int log_parse_nginx_access(Bytes line, LogLine *ret);
