/* SPDX-License-Identifier: Apache-2.0 */
/* How fast nginx's configuration is read: usage: lex-nginx FILE... (samples, repeated to 64 MB). */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench.h"
#include "config/nginx-lex.h"
#include "config/nginx-tree.h"

enum { SIZE = 64 * 1000 * 1000, TREE_SIZE = 8 * 1000 * 1000 };

static char *target;

static size_t copy(Bytes text)
{
    memcpy(target, text.data, text.len);
    return (size_t)target[text.len / 2];
}

static size_t lex(Bytes text)
{
    NginxLexer lexer;
    NginxToken token;
    Err err;
    size_t n = 0;
    nginx_lexer_init(&lexer, text, "sample");
    while (nginx_lexer_next(&lexer, &token, &err) == 0 && token.kind != NGINX_TOKEN_END)
        n++;
    return n;
}

static size_t parse(Bytes text)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree;
    Err err;
    if (nginx_tree_parse(arena, "sample", (Bytes){text.data, text.len}, &tree, &err) < 0) {
        fprintf(stderr, "%s\n", err_text(&err));
        exit(1);
    }
    return tree->root->children.n;
}

static int read_sample(const char *path, StrBuf *out)
{
    char buffer[4096];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        strbuf_add(out, buffer, n);
    strbuf_add_char(out, '\n');
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    CLEANUP(strbuf_free) StrBuf sample = STRBUF_INIT(1 << 20), text = STRBUF_INIT(SIZE), small = STRBUF_INIT(TREE_SIZE);
    for (int i = 1; i < argc; i++) {
        if (read_sample(argv[i], &sample) < 0)
            return 1;
    }
    if (sample.len < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    Bytes once = {strbuf_str(&sample), sample.len};
    bench_repeat(&text, once, SIZE);
    bench_repeat(&small, once, TREE_SIZE);
    target = xmalloc(SIZE);
    double memory = bench_rate(copy, (Bytes){text.data, text.len});
    printf("%-36s %14s %8s\n", "nginx configuration", "", "ratio");
    bench_row("memcpy", memory, memory);
    bench_row("tokens", bench_rate(lex, (Bytes){text.data, text.len}), memory);
    bench_row("tree", bench_rate(parse, (Bytes){small.data, small.len}), memory);
    free(target);
    return 0;
}
