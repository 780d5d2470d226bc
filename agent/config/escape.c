/* SPDX-License-Identifier: Apache-2.0 */
/* One function a language. Each looks first whether the language can hold the value at all and appends only then, so
 * that a refusal leaves the buffer as it was. */
#include "config/escape.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/nginx-lex.h"
#include "config/text.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* The first control character that is none of `allowed`, or NULL. */
static const char *find_control(const char *text, const char *allowed)
{
    for (const char *p = text; *p; p++) {
        if (is_control(*p) && !strchr(allowed, *p))
            return p;
    }
    return NULL;
}

static int refuse_control(const char *p, const char *language, Err *err)
{
    if (*p == '\n' || *p == '\r')
        return err_set(err, ERR_INVALID, "a line break cannot be written in %s", language);
    return err_set(err, ERR_INVALID, "the control character 0x%02x cannot be written in %s",
                   (unsigned)(unsigned char)*p, language);
}

int escape_nginx(StrBuf *out, const char *text, Err *err)
{
    const char *control = find_control(text, "\t\r\n");
    if (control)
        return refuse_control(control, "nginx's configuration", err);
    if (strlen(text) > NGINX_TOKEN_MAX / 2 - 2) /* each byte may become two */
        return err_set(err, ERR_INVALID, "the value is too long for one nginx argument (%zu bytes)", strlen(text));
    if (*text && !strpbrk(text, " \t\r\n;{}\"'#\\")) {
        strbuf_add_str(out, text);
        return 0;
    }
    strbuf_add_char(out, '"');
    for (const char *p = text; *p; p++) {
        static const char special[] = "\"\\\t\r\n", letter[] = "\"\\trn";
        const char *found = strchr(special, *p);
        if (found)
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, found ? letter[found - special] : *p);
    }
    strbuf_add_char(out, '"');
    return 0;
}

static int require_utf8(const char *text, const char *language, Err *err)
{
    return text_is_utf8(bytes_of(text)) ? 0 : err_set(err, ERR_INVALID, "%s takes only UTF-8", language);
}

int escape_systemd(StrBuf *out, const char *text, Err *err)
{
    int r = require_utf8(text, "a unit file", err);
    if (r < 0)
        return r;
    bool quote = !*text || strpbrk(text, " \t\r\n\"'\\;") || find_control(text, "");
    if (quote)
        strbuf_add_char(out, '"');
    for (const char *p = text; *p; p++) {
        if (is_control(*p)) {
            strbuf_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
            continue;
        }
        if (*p == '%' || *p == '$') /* doubled */
            strbuf_add_char(out, *p);
        else if (*p == '"' || *p == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *p);
    }
    if (quote)
        strbuf_add_char(out, '"');
    return 0;
}

int escape_systemd_value(StrBuf *out, const char *text, Err *err)
{
    int r = require_utf8(text, "a unit file", err);
    if (r < 0)
        return r;
    const char *control = find_control(text, "\t");
    if (control)
        return refuse_control(control, "a plain setting of a unit file", err);
    size_t len = strlen(text);
    if (len > 0 && (strchr(" \t", text[0]) || strchr(" \t", text[len - 1])))
        return err_set(err, ERR_INVALID, "systemd would drop the blanks at the ends of the value");
    if (len > 0 && text[len - 1] == '\\')
        return err_set(err, ERR_INVALID, "a value that ends in a backslash would go on in the next line");
    for (const char *p = text; *p; p++) {
        if (*p == '%')
            strbuf_add_char(out, '%');
        strbuf_add_char(out, *p);
    }
    return 0;
}

/* Pure ASCII, so that the literal means the same whatever encoding the file declares. */
int escape_python(StrBuf *out, const char *text, Err *err)
{
    int r = require_utf8(text, "a Python string", err);
    if (r < 0)
        return r;
    strbuf_add_char(out, '"');
    for (const char *p = text; *p;) {
        unsigned code = text_next_char(&p);
        if (code == '\n')
            strbuf_add_str(out, "\\n");
        else if (code < 0x20 || code == 0x7f)
            strbuf_printf(out, "\\x%02x", code);
        else if (code > 0xffff)
            strbuf_printf(out, "\\U%08x", code);
        else if (code > 0x7f)
            strbuf_printf(out, "\\u%04x", code);
        else
            strbuf_printf(out, code == '"' || code == '\\' ? "\\%c" : "%c", (int)code);
    }
    strbuf_add_char(out, '"');
    return 0;
}

static const char plain_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,=-";

int escape_env(StrBuf *out, const char *text, Err *err)
{
    int r = require_utf8(text, "an environment file", err);
    if (r < 0)
        return r;
    /* systemd drops variables with other control characters (env_value_is_valid). */
    const char *control = find_control(text, "\t\n");
    if (control)
        return refuse_control(control, "an environment file", err);
    if (text[strspn(text, plain_letters)] == '\0') {
        strbuf_add_str(out, text);
        return 0;
    }
    strbuf_add_char(out, '"');
    for (const char *p = text; *p; p++) {
        if (strchr("\"\\`$", *p))
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *p);
    }
    strbuf_add_char(out, '"');
    return 0;
}

int escape_shlex(StrBuf *out, const char *text, Err *err)
{
    (void)err;
    if (*text && text[strspn(text, plain_letters)] == '\0') {
        strbuf_add_str(out, text);
        return 0;
    }
    strbuf_add_char(out, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            strbuf_add_str(out, "'\"'\"'");
        else
            strbuf_add_char(out, *p);
    }
    strbuf_add_char(out, '\'');
    return 0;
}

int escape_raw(StrBuf *out, const char *text, Err *err)
{
    (void)err;
    strbuf_add_str(out, text);
    return 0;
}

#define ESCAPERS                                                                                                       \
    X("nginx", escape_nginx)                                                                                           \
    X("systemd", escape_systemd)                                                                                       \
    X("systemd-value", escape_systemd_value)                                                                           \
    X("python", escape_python)                                                                                         \
    X("env", escape_env)                                                                                               \
    X("shlex", escape_shlex)                                                                                           \
    X("raw", escape_raw)

#define X(name, function) name,
static const char *const names[] = {ESCAPERS NULL};
#undef X
#define X(name, function) function,
static const Escaper functions[] = {ESCAPERS};
#undef X

Escaper escape_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (str_equal(names[i], name))
            return functions[i];
    }
    return NULL;
}

const char *const *escape_names(void)
{
    return names;
}
