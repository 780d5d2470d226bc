/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/gunicorn-command.h"

#include <ctype.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "gunicorn", "gunicorn3", "gunicorn-3.11" */
static bool is_gunicorn(const char *word)
{
    const char *name = base_name(word);
    if (!str_starts(name, "gunicorn"))
        return false;
    name += strlen("gunicorn");
    return name[strspn(name, "0123456789.-")] == '\0';
}

static bool is_python(const char *word)
{
    const char *name = base_name(word);
    if (str_starts(name, "pypy"))
        return true;
    return str_starts(name, "python") && name[6 + strspn(name + 6, "0123456789.")] == '\0';
}

static bool is_shell(const char *word)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "ash", "busybox"};
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (str_equal(base_name(word), shells[i]))
            return true;
    return false;
}

/* Skips env(1), its options and assignments. */
static size_t skip_env(Arena *arena, const StringVec *argv, UnitVariableVec *assigned)
{
    size_t i = 0;
    if (argv->n == 0 || !str_equal(base_name(argv->items[0]), "env"))
        return 0;
    for (i = 1; i < argv->n; i++) {
        const char *word = argv->items[i], *equals = strchr(word, '=');
        if (str_equal(word, "-u") || str_equal(word, "-C"))
            i++;
        else if (word[0] != '-' && !equals)
            break;
        else if (word[0] != '-')
            *vec_push(arena, assigned) =
                (UnitVariable){arena_strndup(arena, word, (size_t)(equals - word)), equals + 1};
    }
    return i;
}

/* The word behind an interpreter that is Gunicorn, or 0: `python -u -m gunicorn`, `python /srv/venv/bin/gunicorn`. */
static size_t behind_python(const StringVec *argv, size_t at)
{
    for (size_t i = at + 1; i < argv->n; i++) {
        const char *word = argv->items[i];
        if (str_equal(word, "-m"))
            return i + 1 < argv->n && str_starts(argv->items[i + 1], "gunicorn") ? i + 1 : 0;
        if (str_equal(word, "-X") || str_equal(word, "-W"))
            i++;
        else if (word[0] != '-')
            return is_gunicorn(word) ? i : 0;
    }
    return 0;
}

static bool find_gunicorn(const StringVec *argv, size_t from, size_t *ret)
{
    for (size_t i = from; i < argv->n; i++)
        if (is_gunicorn(argv->items[i])) {
            *ret = i;
            return true;
        }
    return false;
}

/* `sh -c "gunicorn ... "`: the words of the script are what can be read of its settings. */
static int in_shell(Arena *arena, const StringVec *argv, size_t at, GunicornCommand *out)
{
    for (size_t i = at + 1; i < argv->n; i++) {
        StringVec words = {0};
        Err ignored; /* a script that cannot be split has no settings that can be read */
        if (!strstr(argv->items[i], "gunicorn"))
            continue;
        if (gunicorn_split_args(arena, argv->items[i], &words, &ignored) < 0 ||
            !find_gunicorn(&words, 0, &out->program))
            words = *argv, out->program = i;
        out->argv = words;
        out->wrapper = GUNICORN_WRAPPED;
        out->wrapper_reason = arena_printf(
            arena, "%s runs a script; words behind it are arguments of the shell, not of Gunicorn", argv->items[at]);
        return 0;
    }
    return GUNICORN_NOT;
}

int gunicorn_command_find(Arena *arena, const StringVec *argv, GunicornCommand *ret)
{
    GunicornCommand out = {.argv = *argv};
    size_t at = skip_env(arena, argv, &out.assigned);
    if (at >= argv->n)
        return GUNICORN_NOT;
    const char *first = argv->items[at];
    out.program = at;
    if (is_python(first) && (out.program = behind_python(argv, at)) == 0)
        return GUNICORN_NOT;
    if (is_shell(first)) {
        if (in_shell(arena, argv, at, &out) != 0)
            return GUNICORN_NOT;
    } else if (!is_python(first) && !is_gunicorn(first)) {
        bool named = find_gunicorn(argv, at + 1, &out.program);
        if (!named && !strstr(base_name(first), "gunicorn"))
            return GUNICORN_NOT;
        out.wrapper = GUNICORN_WRAPPED;
        out.wrapper_reason =
            named ? arena_printf(arena, "%s starts Gunicorn and may change its arguments and environment", first)
                  : arena_printf(arena, "%s is a script: what it passes on to Gunicorn is not known", first);
    }
    *ret = out;
    return 0;
}
