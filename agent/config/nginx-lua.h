/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of OpenResty whose content is Lua. */
#pragma once

#include <stdbool.h>

#include "config/nginx-lex.h"

/* "content_by_lua_block" and all others that end so. */
bool nginx_is_lua_block(const char *directive);

/* Moves the lexer, which has just read the {, past the } that closes the block: braces in Lua strings, long brackets
 * and comments do not count. */
int nginx_skip_lua(NginxLexer *lexer, Err *err);
