/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a template, rendered over a fixed context with itself as every partial: it must end, within the bounds,
 * and everything that came from the context must have passed the escaper. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "data/json.h"
#include "data/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char context_text[] =
    "{\"unit\":\"\\u0001gunicorn\",\"list\":[1,{\"a\":\"\\u0001\"},[]],\"no\":false,\"map\":{\"a\":{\"b\":\"\\u0001\"}}}";

static int find_partial(void *userdata, const char *name, const Template **ret, Err *err)
{
    *ret = userdata;
    return 0;
}

static int escape(StrBuf *out, const char *text, Err *err)
{
    for (; *text; text++)
        strbuf_add_char(out, *text == '\x01' ? '?' : *text);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Template *template = NULL;
    Node *context = NULL;
    Err err;
    if (memchr(data, '\x01', size) ||
        template_parse(arena, "input", (Bytes){(const char *)data, size}, &template, &err) < 0)
        return 0;
    if (json_parse(arena, "context", BYTES(context_text), &context, &err) < 0)
        abort();
    StringVec names = {0}, partials = {0};
    template_names(arena, template, &names, &partials);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(8 << 20);
    TemplateOptions options = {.escape = escape, .partial = find_partial, .userdata = (void *)template};
    template_render(template, context, &options, &out, &err);
    if (strchr(strbuf_str(&out), '\x01'))
        abort();
    return 0;
}
