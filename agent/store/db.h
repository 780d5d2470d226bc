/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite, thinly: the only user of the library. Statements are written out by the callers; this file opens durably,
 * migrates, binds and reads typed values, and turns result codes into errors. A Db belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

typedef struct Db Db;
typedef struct Statement Statement;

typedef enum DbMode { DB_READ, DB_WRITE, DB_MEMORY /* the path is a name only */ } DbMode;

/* Opens (DB_WRITE: creates, 0600) in WAL mode with a busy timeout of 5 s, and runs the migrations
 * behind PRAGMA user_version, each in a transaction of its own. On a full disk, which has no room for the index that
 * processes share (-shm), it is opened for this process alone: what is in it can be read all the same. A file that
 * fails its quick check is ERR_DAMAGED. A newer user_version than we know is ERR_REFUSED. DB_READ migrates nothing and
 * never writes the database; 1: there is no such file.
 *
 * Closing leaves the write-ahead log as it is, which is as durable as the database; it is written back while it is
 * used, whenever it has grown by a MiB. */
int db_open(const char *path, DbMode mode, const char *const *migrations, Db **ret, Err *err);
void db_close(Db *db);
DEFINE_CLEANUP(Db *, db_close)

/* One or more statements without parameters. */
int db_exec(Db *db, const char *sql, Err *err);

/* DB_SOON: seen by everybody at once, and durable with the next DB_NOW, or the next checkpoint: a power cut before may
 * lose it, and only together with all that came after it. */
typedef enum DbDurable { DB_NOW, DB_SOON } DbDurable;

/* Transactions: begin immediate; a rollback after a failed commit is safe. */
int db_begin(Db *db, DbDurable durable, Err *err);
int db_commit(Db *db, Err *err);
void db_rollback(Db *db);

int db_prepare(Db *db, const char *sql, Statement **ret, Err *err);
void statement_close(Statement *statement);
DEFINE_CLEANUP(Statement *, statement_close)

/* Parameters count from 1. Texts are copied. Errors surface at the next step. */
void statement_bind_text(Statement *statement, int at, const char *text); /* NULL is SQL NULL */
void statement_bind_int(Statement *statement, int at, int64_t value);
void statement_bind_double(Statement *statement, int at, double value);

enum { DB_ROW = 1 };
/* DB_ROW: a row is ready; 0: done. */
int statement_step(Statement *statement, Err *err);
void statement_reset(Statement *statement);

/* Columns count from 0. */
const char *statement_text(Statement *statement, Arena *arena, int at); /* NULL for SQL NULL */
int64_t statement_int(Statement *statement, int at);
double statement_double(Statement *statement, int at);

/* Runs a statement that yields no rows; ret_changed (may be NULL) gets the number of rows changed. */
int statement_run(Statement *statement, int64_t *ret_changed, Err *err);
