/* SPDX-License-Identifier: Apache-2.0 */
/* crash-sim: salve's engine on a simulated host, killed and failed at every durable operation. It needs root, for a
 * mount namespace and chroot; nothing outside of its own tmpfs is touched.
 *
 *     crash-sim                     the whole matrix, the stories and the soak
 *     crash-sim --quick             a part of them, for every day
 *     crash-sim --soak 2000 --seed 7
 *     crash-sim --story a_shutdown_is_not_blamed_on_the_plan --verbose        "all": all of them
 *     crash-sim --scenario sick --fault "EIO lasting" --at 212 --verbose      one trial, with all that was said
 *     crash-sim --scenario sick --killed-before 238 --fault ENOSPC --at 60    one of the recovery of a killed run
 *
 * The last line is `N passed, N failed`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "matrix.h"
#include "soak.h"
#include "stories.h"

enum { QUICK_STRIDE = 17, QUICK_MEMORY_STRIDE = 37, SOAK_RUNS = 2000, QUICK_SOAK_RUNS = 200 };

static const struct option long_options[] = {
    {"quick", no_argument, NULL, 'q'},
    {"scenario", required_argument, NULL, 's'},
    {"fault", required_argument, NULL, 'f'},
    {"at", required_argument, NULL, 'a'},
    {"killed-before", required_argument, NULL, 'b'},
    {"stride", required_argument, NULL, 'n'},
    {"processes", required_argument, NULL, 'p'},
    {"dir", required_argument, NULL, 'd'},
    {"soak", required_argument, NULL, 'k'},
    {"story", required_argument, NULL, 't'},
    {"seed", required_argument, NULL, 'e'},
    {"verbose", no_argument, NULL, 'v'},
    {0},
};

static unsigned long number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n == 0) {
        fprintf(stderr, "crash-sim: %s is not a number\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    MatrixOptions options = {.stride = 1, .memory_stride = 1, .processes = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    SoakOptions soak = {.runs = SOAK_RUNS};
    bool only_soak = false, only_matrix = false;
    const char *story = NULL;
    Tally tally = {0};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case 'q':
            options.stride = QUICK_STRIDE;
            options.memory_stride = QUICK_MEMORY_STRIDE;
            soak.runs = QUICK_SOAK_RUNS;
            break;
        case 's': options.scenario = optarg, only_matrix = true; break;
        case 'f': options.fault = optarg, only_matrix = true; break;
        case 'a': options.at = number(optarg), only_matrix = true; break;
        case 'b': options.killed_before = number(optarg), only_matrix = true; break;
        case 'n': options.stride = number(optarg); break;
        case 'p': options.processes = (unsigned)number(optarg); break;
        case 'k': soak.runs = number(optarg), only_soak = true; break;
        case 't': story = optarg; break;
        case 'e': soak.seed = strtoull(optarg, NULL, 10); break;
        case 'd': options.dir = soak.dir = optarg; break;
        case 'v': options.verbose = true; break;
        default: return 2;
        }
    }
    if (!only_soak && !story)
        matrix_run(&options, &tally);
    if (!only_soak && !only_matrix)
        stories_run(story && strcmp(story, "all") != 0 ? story : NULL, options.dir, options.verbose, &tally);
    if (!only_matrix && !story)
        soak_run(&soak, &tally);
    printf("%lu passed, %lu failed\n", tally.passed, tally.failed);
    return tally.failed > 0;
}
