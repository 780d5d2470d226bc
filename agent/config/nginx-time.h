/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's time values (ngx_parse_time in ngx_parse.c). */
#pragma once

#include "base/clock.h"
#include "base/err.h"

/* A time of a directive that counts milliseconds (proxy_read_timeout), grammar of ngx_parse_time: units w d h m s ms in
 * descending order, the last number alone is seconds. ERR_INVALID for what nginx rejects. "0" is 0: nginx accepts it
 * and every request ends at once. */
int nginx_parse_time(const char *text, usec *ret, Err *err);
/* As above for directives that count seconds: with y and M (365 and 30 days), without ms. */
int nginx_parse_time_sec(const char *text, usec *ret, Err *err);
/* "65s", "1500ms". ERR_INVALID for parts of a millisecond, 0 and USEC_INFINITY. */
int nginx_format_time(Arena *arena, usec time, const char **ret, Err *err);
