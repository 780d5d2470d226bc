/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "host/regex.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* Enough for any honest log pattern on a 16 KiB line, and well below a second. */
enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 1000, JIT_STACK_MIN = 32 << 10, JIT_STACK_MAX = 1 << 20 };

struct Regex {
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_data *match;
    pcre2_jit_stack *stack;
    Bytes subject; /* of the last match */
    int groups;    /* set in the last match; 0: there was none */
    char *pattern;
};

void regex_free(Regex *regex)
{
    if (!regex)
        return;
    pcre2_match_data_free(regex->match);
    pcre2_jit_stack_free(regex->stack);
    pcre2_match_context_free(regex->context);
    pcre2_code_free(regex->code);
    free(regex->pattern);
    free(regex);
}

static const char *message_of(int code, char *buffer, size_t size)
{
    pcre2_get_error_message(code, (PCRE2_UCHAR8 *)buffer, size);
    return buffer;
}

int regex_compile(const char *pattern, Regex **ret_regex, size_t *ret_offset, Err *err)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    /* Bytes stay bytes, whatever (*UTF) a pattern asks for. */
    uint32_t options = PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR8)pattern, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
    if (!compiled) {
        char text[256];
        if (ret_offset)
            *ret_offset = offset;
        return err_set(err, ERR_INVALID, "%s at byte %zu of the pattern \"%s\"", message_of(code, text, sizeof text),
                       (size_t)offset, pattern);
    }
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without JIT it is only slower */
    Regex *regex = xmalloc(sizeof *regex);
    *regex = (Regex){.code = compiled,
                     .context = pcre2_match_context_create(NULL),
                     .match = pcre2_match_data_create_from_pattern(compiled, NULL),
                     .stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL)};
    size_t size = strlen(pattern) + 1;
    regex->pattern = memcpy(xmalloc(size), pattern, size);
    pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
    *ret_regex = regex;
    return 0;
}

int regex_match(Regex *regex, Bytes subject, Err *err)
{
    int n = pcre2_match(regex->code, (PCRE2_SPTR8)subject.data, subject.len, 0, 0, regex->match, regex->context);
    regex->groups = n > 0 ? n : 0;
    regex->subject = subject;
    if (n > 0)
        return 0;
    if (n == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    char text[256];
    return err_set(err, ERR_FAILED, "cannot match the pattern \"%s\": %s", regex->pattern,
                   message_of(n, text, sizeof text));
}

Bytes regex_group(const Regex *regex, unsigned group)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(regex->match);
    if (group >= (unsigned)regex->groups || offsets[2 * group] == PCRE2_UNSET)
        return (Bytes){0};
    return (Bytes){regex->subject.data + offsets[2 * group], offsets[2 * group + 1] - offsets[2 * group]};
}

Bytes regex_named(const Regex *regex, const char *name)
{
    int group = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR8)name);
    return group < 0 ? (Bytes){0} : regex_group(regex, (unsigned)group);
}
