/* SPDX-License-Identifier: Apache-2.0 */
#include "change/change.h"

#include <stdarg.h>

#include "change/kinds.h"

const ChangeKind *const change_kinds[] = {
    &change_gunicorn, &change_nginx, &change_unit, &change_template, &change_symlink, &change_restart, NULL,
};

const ChangeKind *change_kind_find(const char *name)
{
    for (size_t i = 0; change_kinds[i]; i++) {
        if (str_equal(change_kinds[i]->name, name))
            return change_kinds[i];
    }
    return NULL;
}

void change_note(ChangeContext *context, NoteLevel level, const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *vec_push(context->arena, &context->notes) =
        (Note){.level = level, .subject = subject, .text = arena_vprintf(context->arena, format, args)};
    va_end(args);
}

static void add_once(Arena *arena, StringVec *strings, const char *text)
{
    if (!strings_contain(strings, text))
        *vec_push(arena, strings) = text;
}

void change_concerns(ChangeContext *context, const char *unit)
{
    add_once(context->arena, &context->concerned, unit);
}

void change_concerns_file(ChangeContext *context, const char *path)
{
    add_once(context->arena, &context->wished, path);
}

void change_wish(ChangeContext *context, WishKind kind, const char *subject, const char *name, const char *value)
{
    *vec_push(context->arena, &context->wishes) =
        (Wish){.kind = kind, .subject = subject, .name = name, .value = value};
}

void change_wish_also(ChangeContext *context, const ValueVec *units)
{
    VEC_EACH (unit, units)
        change_wish(context, WISH_MAY_AFFECT, unit->text, NULL, NULL);
}
