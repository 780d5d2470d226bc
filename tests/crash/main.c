/* SPDX-License-Identifier: Apache-2.0 */
/* crash-sim: salve's engine on a simulated host, killed and failed at every durable operation. It needs root, for a
 * mount namespace and chroot; nothing outside of its own tmpfs is touched.
 *
 *     crash-sim                     the whole matrix
 *     crash-sim --quick             a part of it, for every day
 *     crash-sim --scenario sick --fault "EIO lasting" --at 212 --verbose      one trial, with all that was said
 *
 * The last line is `N passed, N failed`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "matrix.h"

enum { QUICK_STRIDE = 7 };

static const struct option long_options[] = {
    {"quick", no_argument, NULL, 'q'},
    {"scenario", required_argument, NULL, 's'},
    {"fault", required_argument, NULL, 'f'},
    {"at", required_argument, NULL, 'a'},
    {"stride", required_argument, NULL, 'n'},
    {"processes", required_argument, NULL, 'p'},
    {"dir", required_argument, NULL, 'd'},
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
    MatrixOptions options = {.stride = 1, .processes = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    Tally tally = {0};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case 'q': options.stride = QUICK_STRIDE; break;
        case 's': options.scenario = optarg; break;
        case 'f': options.fault = optarg; break;
        case 'a': options.at = number(optarg); break;
        case 'n': options.stride = number(optarg); break;
        case 'p': options.processes = (unsigned)number(optarg); break;
        case 'd': options.dir = optarg; break;
        case 'v': options.verbose = true; break;
        default: return 2;
        }
    }
    matrix_run(&options, &tally);
    printf("%lu passed, %lu failed\n", tally.passed, tally.failed);
    return tally.failed > 0;
}
