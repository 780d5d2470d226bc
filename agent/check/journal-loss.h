/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the journal can be missing lines of a unit that nobody tells of.
 *
 * journald says "Suppressed N messages" only with the unit's first line after the interval, so within it nothing tells.
 * It counts what a unit logs by five groups of priorities; a group that has reached the burst within an interval loses
 * what comes (journald-rate-limit.c; with 50 in 30 s a lab host kept 187, since free disk space multiplies it). */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"

struct Systemd;

typedef struct JournalRate {
    usec interval;  /* 0: there is no limit */
    uint64_t burst; /* at least so many are kept in an interval */
} JournalRate;

/* The limit of a unit: what systemd has told journald of it below root/run/systemd/units, else root's journald.conf. A
 * unit's own 0 is no setting to systemd: it does not switch the limit off. */
void journal_rate_of(const char *root, Arena *arena, const char *unit, JournalRate *ret);
/* Whether `burst` of these times, which ascend, lie within one interval. */
bool journal_rate_is_reached(const JournalRate *rate, const usec *times, size_t n);

/* Why lines of the unit since then may be missing; NULL: nothing says so. `since` is where the look began. */
const char *journal_loss(struct Systemd *systemd, Arena *arena, const char *unit, usec since);
