/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostic messages to standard error, for verbs and services only; everything else returns errors. The level is the
 * one piece of global state. -q sets LOG_ERROR, -v LOG_DEBUG. */
#pragma once

typedef enum LogLevel { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

void log_set_level(LogLevel level);
LogLevel log_level(void);
void log_message(LogLevel level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Anything else for standard error, as it is but for what could steer a terminal (base/safe-text.h). */
void log_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a text that salve painted itself. */
void log_painted(const char *text);

#define log_error(...)   log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)
