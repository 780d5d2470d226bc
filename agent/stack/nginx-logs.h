/* SPDX-License-Identifier: Apache-2.0 */
/* Where nginx logs to: fills the log lists of the facts, whose tree, servers and prefix are there already. */
#pragma once

#include "stack/nginx.h"

void nginx_collect_logs(Arena *arena, NginxFacts *facts);
