/* SPDX-License-Identifier: Apache-2.0 */
/* The grammars behind the kinds of data/value.h, each a question about a text. */
#include <arpa/inet.h>
#include <string.h>

#include "data/value.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool only(const char *text, const char *allowed)
{
    return !text[strspn(text, allowed)];
}

bool is_word(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 256 && only(text, LOWER UPPER DIGITS "._:@%+/=-");
}

bool is_name(const char *text, bool underscores)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 64 && *text >= 'a' && *text <= 'z' &&
           only(text, underscores ? LOWER DIGITS "_" : LOWER DIGITS "-");
}

bool is_unit_name(const char *text)
{
    static const char *const suffixes[] = {".service", ".socket",    ".timer", ".target", ".path",  ".mount",
                                           ".scope",   ".automount", ".swap",  ".slice",  ".device"};
    if (strlen(text) > 255 || !only(text, LOWER UPPER DIGITS ":_.\\-@") || *text == '@' || *text == '-')
        return false;
    const char *at = strchr(text, '@');
    if (at && strchr(at + 1, '@'))
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (str_ends(text, suffixes[i]))
            return strlen(text) > strlen(suffixes[i]);
    }
    return false;
}

bool is_normal_path(const char *text)
{
    if (*text != '/' || strlen(text) > 4000)
        return false;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    if (strcmp(text, "/") == 0)
        return true;
    for (const char *part = text; part; part = strchr(part + 1, '/')) {
        size_t len = strcspn(part + 1, "/");
        if (len == 0 || (part[1] == '.' && (len == 1 || (len == 2 && part[2] == '.'))))
            return false;
    }
    return true;
}

/* Letters, digits and inner dashes, 1 to 63 (RFC 1123). */
static bool is_label(const char *text, size_t len)
{
    return len >= 1 && len <= 63 && strspn(text, LOWER UPPER DIGITS "-") >= len && text[0] != '-' &&
           text[len - 1] != '-';
}

static bool is_ipv6(const char *text, size_t len)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, binary) == 1;
}

bool is_host_name(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 253)
        return false;
    if (*text == '[')
        return text[len - 1] == ']' && is_ipv6(text + 1, len - 2);
    if (strchr(text, ':'))
        return is_ipv6(text, len);
    unsigned char binary[sizeof(struct in_addr)];
    if (only(text, DIGITS ".")) /* cannot be a name: the last label of one is never all digits */
        return inet_pton(AF_INET, text, binary) == 1;
    for (const char *label = text;; label++) {
        size_t n = strcspn(label, ".");
        if (!is_label(label, n))
            return false;
        label += n;
        if (!*label)
            return true;
    }
}
