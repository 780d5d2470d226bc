/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a short run, for the tests of what renders them. */
#pragma once

#include "run/event.h"

#define SAMPLE_START    (1000 * USEC_PER_SEC)
#define SAMPLE_AT(msec) .realtime = SAMPLE_START + (msec)*USEC_PER_MSEC, .run_id = "20260301T031245-7f3a"

static const Event sample_events[] = {
    {EVENT_STATE, SAMPLE_AT(0), .state = RUN_BASELINING},
    {EVENT_SAMPLE, SAMPLE_AT(400), .state = RUN_BASELINING, .subject = "health", .value = 41.25, .unit = "ms",
     .ok = true, .text = "200"},
    {EVENT_VERDICT, SAMPLE_AT(900), .state = RUN_BASELINING, .subject = "health", .verdict = VERDICT_PASS,
     .text = "p95 41ms (24 samples)"},
    {EVENT_STATE, SAMPLE_AT(1000), .state = RUN_STAGED},
    {EVENT_STEP, SAMPLE_AT(1000), .state = RUN_STAGED, .text = "nginx -t on the candidate"},
    {EVENT_STEP_DONE, SAMPLE_AT(1038), .state = RUN_STAGED, .duration_usec = 38 * USEC_PER_MSEC, .ok = true},
    {EVENT_WARNING, SAMPLE_AT(1040), .state = RUN_STAGED, .text = "DB_PASSWORD=x in the unit"},
    {EVENT_STATE, SAMPLE_AT(1100), .state = RUN_VERIFYING},
    {EVENT_WAIT, SAMPLE_AT(1100), .state = RUN_VERIFYING, .total_usec = 60 * USEC_PER_SEC},
    {EVENT_SAMPLE, SAMPLE_AT(2000), .state = RUN_VERIFYING, .subject = "health", .value = 812, .unit = "ms",
     .text = "502"},
    {EVENT_WAIT, SAMPLE_AT(30000), .state = RUN_VERIFYING, .duration_usec = 30 * USEC_PER_SEC,
     .total_usec = 60 * USEC_PER_SEC},
    {EVENT_VERDICT, SAMPLE_AT(31000), .state = RUN_VERIFYING, .subject = "health", .verdict = VERDICT_FAIL,
     .text = "p95 812ms > 500ms (24 samples)"},
    {EVENT_STEP, SAMPLE_AT(31100), .state = RUN_ROLLING_BACK, .text = "restart gunicorn.service"},
    {EVENT_STEP_FAILED, SAMPLE_AT(31200), .state = RUN_ROLLING_BACK, .text = "job timed out",
     .duration_usec = 100 * USEC_PER_MSEC},
    {EVENT_END, SAMPLE_AT(33000), .state = RUN_ROLLED_BACK, .text = "health: p95 812ms > 500ms"},
};
