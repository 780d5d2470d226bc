/* SPDX-License-Identifier: Apache-2.0 */
/* How fast logs are scanned for events, beside `grep -cE` with the same events, on the same file in the same run. Both
 * read the file from the page cache. */
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench.h"
#include "config/log-line.h"

enum { SIZE = 256 * 1000 * 1000 };

typedef struct Bench {
    const char *name;
    LogSource source;
    const char *sample;
    const char *pattern; /* for grep */
} Bench;

#define G "[2026-03-01 12:33:12 +0000] [7] "
#define N "2026/03/01 12:33:12 [error] 812#812: *5 "
#define C ", client: 203.0.113.7, server: example.org, request: \"GET /reports/2026/03 HTTP/1.1\""

static const Bench benches[] = {
    {"gunicorn error log", LOG_SOURCE_GUNICORN,
     G "[INFO] Handling signal: hup\n" G "[DEBUG] GET /reports/2026/03\n" G "[DEBUG] GET /\n" G
       "[CRITICAL] WORKER TIMEOUT (pid:12)\n" G "[WARNING] Worker with pid 12 was terminated due to signal 9\n" G
       "[INFO] Booting worker with pid: 13\n" G "[DEBUG] Closing connection.\n"
       "Traceback (most recent call last):\n  File \"/srv/app/views.py\", line 31, in report\n    time.sleep(60)\n",
     "WORKER TIMEOUT \\(pid:[0-9]+\\)|Worker with pid [0-9]+ was terminated|Worker \\(pid:[0-9]+\\) (was sent|exited)|"
     "Booting worker with pid|Reason: (Worker|App) failed|Exception in worker process|Connection in use"},
    {"nginx error log", LOG_SOURCE_NGINX_ERROR,
     N "upstream timed out (110: Connection timed out) while reading response header from upstream" C
       ", upstream: \"http://unix:/run/gunicorn.sock:/reports/2026/03\", host: \"example.org\"\n" N
       "open() \"/srv/app/static/favicon.ico\" failed (2: No such file or directory)" C ", host: \"example.org\"\n" N
       "access forbidden by rule" C ", host: \"example.org\"\n" N
       "connect() failed (111: Connection refused) while connecting to upstream" C
       ", upstream: \"http://127.0.0.1:8000/reports/2026/03\", host: \"example.org\"\n" N
       "directory index of \"/srv/app/static/\" is forbidden" C ", host: \"example.org\"\n",
     "upstream timed out|upstream prematurely closed|(recv|writev)\\(\\) failed .* upstream|"
     "connect\\(\\) .*failed \\([0-9]+: .* while connecting to upstream|no live upstreams|bind\\(\\) to .* failed"},
};

static LogSource source;

static int count(const LogLine *line, void *ctx)
{
    size_t *n = ctx;
    *n += line->event != LOG_NONE;
    return 0;
}

static size_t scan(Bytes text)
{
    size_t n = 0;
    log_scan(source, text, count, &n, NULL);
    return n;
}

static const char *file_path, *file_pattern;

static size_t grep(Bytes text)
{
    (void)text;
    const char *argv[] = {"grep", "-cE", file_pattern, file_path, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    /* Not /dev/null: for that grep would end at the first match. */
    FILE *output = tmpfile();
    posix_spawn_file_actions_adddup2(&actions, fileno(output), STDOUT_FILENO);
    pid_t pid;
    int status = -1;
    if (posix_spawnp(&pid, "grep", &actions, NULL, (char *const *)(uintptr_t)argv, environ) != 0 ||
        waitpid(pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "grep failed\n");
        exit(1);
    }
    posix_spawn_file_actions_destroy(&actions);
    fclose(output);
    return 1;
}

static int run(const Bench *bench)
{
    char path[] = "/tmp/salve-bench-XXXXXX";
    CLEANUP(fd_close) int fd = mkstemp(path);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(SIZE);
    bench_repeat(&text, bytes_of(bench->sample), SIZE);
    if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len) {
        perror(path);
        return -1;
    }
    void *map = mmap(NULL, text.len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        perror("mmap");
        return -1;
    }
    source = bench->source;
    file_path = path;
    file_pattern = bench->pattern;
    double reference = bench_rate(grep, (Bytes){map, text.len});
    printf("%-36s %14s %8s\n", bench->name, "", "ratio");
    bench_row("grep -cE", reference, reference);
    bench_row("scan", bench_rate(scan, (Bytes){map, text.len}), reference);
    munmap(map, text.len);
    unlink(path);
    return 0;
}

int main(void)
{
    setenv("LC_ALL", "C", 1); /* the fastest for grep */
    for (size_t i = 0; i < ARRAY_LEN(benches); i++) {
        if (run(&benches[i]) < 0)
            return 1;
    }
    return 0;
}
