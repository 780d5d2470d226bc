/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/safe-text.h"

enum { LOG_TEXT_MAX = 1 << 20 };

static LogLevel current_level = LOG_LEVEL_WARNING;

void log_set_level(LogLevel level)
{
    current_level = level;
}

LogLevel log_level(void)
{
    return current_level;
}

void log_message(LogLevel level, const char *format, ...)
{
    if (level > current_level)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_text("salve: %s\n", text);
}

static void write_safe(Bytes text, SafeFlags flags)
{
    CLEANUP(strbuf_free) StrBuf safe = STRBUF_INIT(6 * LOG_TEXT_MAX);
    safe_add(&safe, text, flags | safe_locale());
    fwrite(strbuf_str(&safe), 1, safe.len, stderr);
}

void log_text(const char *format, ...)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(LOG_TEXT_MAX);
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&text, format, args);
    va_end(args);
    write_safe((Bytes){strbuf_str(&text), text.len}, SAFE_PLAIN);
}

void log_painted(const char *text)
{
    write_safe(bytes_of(text), SAFE_COLOURS);
}
