/* SPDX-License-Identifier: Apache-2.0 */
/* Mustache templates (mustache(5), the spec's core modules): variables, sections, inverted sections, comments,
 * partials, standalone lines. What differs, so that a template cannot quietly make a wrong file:
 *
 *   - an unknown name is an error with line and column, not an empty string (write a section for what may be absent);
 *   - every value goes through the escaper of the target's syntax; `{{{ x }}}` and `{{& x }}` are accepted only where
 *     the target is raw;
 *   - the delimiters cannot be changed;
 *   - output and partials are bounded.
 *
 * The first line names the target's escaping in a comment: `{{! escape: nginx }}`, one of nginx, systemd,
 * systemd-value, python, env, shlex, raw. The caller picks the escaper by that name (config/escape.h).
 *
 * A section's value is true unless it is null, false, an empty text or an empty list. In a list's section `{{ . }}` is
 * the item. Names with dots (`gunicorn.timeout`) walk into maps. */
#pragma once

#include "base/err.h"
#include "data/node.h"

enum { TEMPLATE_MAX_OUTPUT = 1 << 20, TEMPLATE_MAX_DEPTH = 16, TEMPLATE_MAX_NESTING = 64 };

typedef struct Template Template; /* plain data in the arena that it was parsed in */

/* `name` is the path, for errors. Errors: ERR_INVALID with position. */
int template_parse(Arena *arena, const char *name, Bytes text, const Template **ret, Err *err);

/* The escaping that the first line names; NULL where it names none. */
const char *template_escape_name(const Template *template);
/* All names that the template asks for (dotted, as written, once each; not those of partials), and its partials. */
void template_names(Arena *arena, const Template *template, StringVec *names, StringVec *partials);

/* Appends `text` to out in the target's syntax; ERR_INVALID where the target cannot hold it. */
typedef int (*EscapeFunction)(StrBuf *out, const char *text, Err *err);

typedef struct TemplateOptions {
    EscapeFunction escape; /* NULL: raw */
    /* Finds a partial by name; may be NULL (then `{{> x }}` is an error). The template must live until rendering ends.
     */
    int (*partial)(void *userdata, const char *name, const Template **ret, Err *err);
    void *userdata;
} TemplateOptions;

/* Renders over `context` (a map) into out. A failure leaves a part of the text in out. */
int template_render(const Template *template, const Node *context, const TemplateOptions *options, StrBuf *out,
                    Err *err);
