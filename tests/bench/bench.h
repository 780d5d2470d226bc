/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks share: a text made of copies, the best of several runs, and a table. Numbers of one run are only
 * compared with others of the same run. */
#pragma once

#include <stdio.h>

#include "base/clock.h"
#include "base/strbuf.h"

enum { BENCH_RUNS = 5 };

/* `sample` again and again until `size` bytes are full; free with strbuf_free. */
static inline void bench_repeat(StrBuf *out, Bytes sample, size_t size)
{
    while (out->len + sample.len <= size)
        strbuf_add(out, sample.data, sample.len);
}

typedef size_t (*BenchFunction)(Bytes text); /* its result is used, so that nothing is optimised away */

/* Megabytes (10^6) a second, the best of BENCH_RUNS. */
static inline double bench_rate(BenchFunction function, Bytes text)
{
    usec best = USEC_INFINITY;
    for (int i = 0; i < BENCH_RUNS; i++) {
        usec start = clock_monotonic();
        size_t result = function(text);
        usec took = clock_monotonic() - start;
        __asm__ volatile("" : : "r"(result) : "memory");
        best = took < best ? took : best;
    }
    return (double)text.len / (double)(best ? best : 1);
}

static inline void bench_row(const char *what, double rate, double reference)
{
    printf("%-36s %9.0f MB/s %8.2f\n", what, rate, rate / reference);
}
