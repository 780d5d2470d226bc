/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds that check/check.c lists; everybody else finds them through check_kinds. */
#pragma once

#include "check/check.h"

extern const CheckKind check_http;
extern const CheckKind check_journal;
extern const CheckKind check_log;
extern const CheckKind check_unit;
