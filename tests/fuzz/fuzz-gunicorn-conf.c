/* SPDX-License-Identifier: Apache-2.0 */
/* An edited literal is read back and everything else in the file means what it meant; an appended line wins. The same
 * bytes as a command line: split, joined and split again they give the same words. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/gunicorn-conf.h"
#include "config/gunicorn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(Arena *arena, const GunicornConf *conf, const GunicornConfValue *changed, Bytes text)
{
    GunicornConf again;
    Err err;
    if (gunicorn_conf_parse(arena, "edited", text, &again, &err) < 0 || again.values.n != conf->values.n)
        abort();
    for (size_t i = 0; i < conf->values.n; i++) {
        const GunicornConfValue *a = &conf->values.items[i], *b = &again.values.items[i];
        if (!str_equal(a->name, b->name) || !str_equal(a == changed ? "90" : a->text, b->text))
            abort();
    }
}

static void check_words(Arena *arena, Bytes input)
{
    StringVec words, again;
    GunicornArgs args;
    const char *joined;
    Err err;
    if (gunicorn_split_args(arena, arena_strndup(arena, input.data, input.len), &words, &err) < 0)
        return;
    gunicorn_parse_args(arena, &words, &args);
    if (gunicorn_join_args(arena, &words, &joined, &err) < 0)
        return;
    if (gunicorn_split_args(arena, joined, &again, &err) < 0 || words.n != again.n)
        abort();
    for (size_t i = 0; i < words.n; i++) {
        if (!str_equal(words.items[i], again.items[i]))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes input = {(const char *)data, size}, text;
    GunicornConf conf, again;
    Err err;
    check_words(arena, input);
    if (gunicorn_conf_parse(arena, "input", input, &conf, &err) < 0)
        return 0;
    for (size_t i = 0; i < conf.values.n && i < 16; i++) {
        const GunicornConfValue *value = &conf.values.items[i];
        if (value->start > value->end || value->end > size)
            abort();
        if (gunicorn_conf_set(arena, &conf, value->name, "90", &text, &err) == 0)
            check_set(arena, &conf, gunicorn_conf_get(&conf, value->name), text);
    }
    if (gunicorn_conf_append(arena, &conf, "timeout", "90", &text, &err) < 0 ||
        gunicorn_conf_parse(arena, "appended", text, &again, &err) < 0)
        abort();
    const GunicornConfValue *last = again.values.n ? &again.values.items[again.values.n - 1] : NULL;
    if (!last || !str_equal(last->name, "timeout") || !str_equal(last->text, "90"))
        abort();
    return 0;
}
