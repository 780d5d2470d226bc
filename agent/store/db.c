/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/files.h"

enum { BUSY_TIMEOUT_MSEC = 5000 };

/* In pages of 4 KiB: all of the log is read when the database is opened. */
#define CHECKPOINT_PAGES "256"

struct Db {
    sqlite3 *handle;
    const char *path;
    Arena *arena;
    DbDurable durable; /* as synchronous is set */
};

struct Statement {
    sqlite3_stmt *handle;
    Db *db;
    int failed; /* result code of a bind */
};

static const struct {
    int code;
    ErrKind kind;
} code_kinds[] = {
    {SQLITE_BUSY, ERR_BUSY},   {SQLITE_LOCKED, ERR_BUSY},     {SQLITE_FULL, ERR_SPACE},      {SQLITE_PERM, ERR_DENIED},
    {SQLITE_AUTH, ERR_DENIED}, {SQLITE_READONLY, ERR_DENIED}, {SQLITE_CANTOPEN, ERR_DENIED},
};

static int raise_code(const Db *db, int code, const char *doing, Err *err)
{
    ErrKind kind = ERR_FAILED;
    for (size_t i = 0; i < ARRAY_LEN(code_kinds); i++) {
        if (code_kinds[i].code == (code & 0xff))
            kind = code_kinds[i].kind;
    }
    if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        return err_set(err, ERR_DAMAGED, "%s is damaged (%s)", db->path, sqlite3_errmsg(db->handle));
    return err_set(err, kind, "cannot %s %s: %s", doing, db->path, sqlite3_errmsg(db->handle));
}

int db_exec(Db *db, const char *sql, Err *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : raise_code(db, code, "write", err);
}

static int query_int(Db *db, const char *sql, int64_t *ret, Err *err)
{
    Statement *statement;
    int r = db_prepare(db, sql, &statement, err);
    if (r < 0)
        return r;
    r = statement_step(statement, err);
    if (r == DB_ROW)
        *ret = statement_int(statement, 0);
    statement_close(statement);
    return r < 0 ? r : 0;
}

/* --- Memory --- */

static sqlite3_mem_methods memory; /* SQLite's own */

static void *memory_new(int size)
{
    void *new = memory.xMalloc(size);
    if (!new)
        die_of_memory((size_t)size);
    return new;
}

static void *memory_resize(void *old, int size)
{
    void *new = memory.xRealloc(old, size);
    if (!new)
        die_of_memory((size_t)size);
    return new;
}

/* SQLite tells of a page for which there was no memory as it tells of damage, and takes a text for NULL: its memory
 * must not run out (base/arena.h). */
static void set_up_memory(void)
{
    sqlite3_mem_methods ours;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK)
        return;
    ours = memory;
    ours.xMalloc = memory_new;
    ours.xRealloc = memory_resize;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}

/* --- Opening --- */

static int check_once(Db *db, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(statement_close) Statement *statement = NULL;
    int r = db_prepare(db, "PRAGMA quick_check(1)", &statement, err);
    if (r < 0 || (r = statement_step(statement, err)) < 0)
        return r;
    const char *verdict = statement_text(statement, arena, 0);
    if (!verdict) /* no answer is no evidence of damage */
        return err_set(err, ERR_FAILED, "cannot check %s", db->path);
    if (!str_equal(verdict, "ok"))
        return err_set(err, ERR_DAMAGED, "%s is damaged (%s)", db->path, verdict);
    return 0;
}

/* SQLite tells of a page that it could not read as it tells of damage. Errors pass, damage stays: asked again, it is
 * still there. */
static int check_integrity(Db *db, Err *err)
{
    int r = check_once(db, err);
    return r == -ERR_DAMAGED ? check_once(db, err) : r;
}

static int migrate(Db *db, const char *const *migrations, int64_t version, Err *err)
{
    for (int64_t next = version; migrations[next]; next++) {
        CLEANUP(strbuf_free) StrBuf sql = STRBUF_INIT(100);
        strbuf_printf(&sql, "PRAGMA user_version = %d", (int)next + 1);
        int r = db_begin(db, DB_NOW, err);
        if (r == 0)
            r = db_exec(db, migrations[next], err);
        if (r == 0)
            r = db_exec(db, strbuf_str(&sql), err);
        if (r == 0)
            r = db_commit(db, err);
        if (r < 0) {
            db_rollback(db);
            return r;
        }
    }
    return 0;
}

/* 1: made, but never filled. An older format is brought up to date by whoever writes first. */
static int check_readable(const Db *db, int64_t version, int64_t known, Err *err)
{
    if (version == 0 || version == known)
        return version == 0 ? 1 : 0;
    return err_set(
        err, ERR_REFUSED,
        "%s was written by an older salve (format %d, this one reads %d); bring it up to date: salve recover", db->path,
        (int)version, (int)known);
}

static int check_version(Db *db, DbMode mode, const char *const *migrations, Err *err)
{
    int64_t version = 0, known = 0;
    while (migrations[known])
        known++;
    int r = query_int(db, "PRAGMA user_version", &version, err);
    if (r < 0)
        return r;
    if (version > known)
        return err_set(err, ERR_REFUSED,
                       "%s was written by a newer salve (format %d, this one knows %d); upgrade salve", db->path,
                       (int)version, (int)known);
    if (mode == DB_READ)
        return check_readable(db, version, known, err);
    return migrate(db, migrations, version, err);
}

static int set_up(Db *db, DbMode mode, bool alone, const char *const *migrations, Err *err)
{
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MSEC);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int r = alone ? db_exec(db, "PRAGMA locking_mode = EXCLUSIVE", err) : 0;
    if (r == 0 && mode == DB_WRITE) {
        r = db_exec(db,
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                    "PRAGMA wal_autocheckpoint = " CHECKPOINT_PAGES,
                    err);
        if (r == 0)
            r = check_integrity(db, err);
    }
    return r < 0 ? r : check_version(db, mode, migrations, err);
}

static int open_one_way(const char *path, DbMode mode, bool alone, const char *const *migrations, Db **ret, Err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up_memory);
    Db *db = xmalloc(sizeof *db);
    *db = (Db){.arena = arena_new()};
    db->path = arena_strdup(db->arena, path);
    static const int flags[] = {
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [DB_MEMORY] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY,
    };
    if (mode == DB_WRITE) /* SQLite gives -wal and -shm the mode of the database */
        fd_close(open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    int code = sqlite3_open_v2(path, &db->handle, flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    int r = code == SQLITE_OK ? set_up(db, mode, alone, migrations, err) : raise_code(db, code, "open", err);
    if (r != 0) {
        db_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

/* Failures that have to do with the file system, which may be full. */
static bool may_go_alone(const Err *err)
{
    return err->kind != ERR_DAMAGED && err->kind != ERR_REFUSED && err->kind != ERR_BUSY;
}

/* SQLite would wait for a FIFO, and write where a symlink leads. */
static int check_files(const char *path, Err *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        const char *file = arena_printf(arena, "%s%s", path, suffixes[i]);
        FileState found;
        int r = file_stat("", file, &found, err);
        if (r < 0)
            return r;
        if (found.type != FILE_ABSENT && found.type != FILE_REGULAR)
            return err_set(err, ERR_DAMAGED, "%s is a %s, not a file", file, file_type_to_string(found.type));
    }
    return 0;
}

int db_open(const char *path, DbMode mode, const char *const *migrations, Db **ret, Err *err)
{
    struct stat st;
    if (mode == DB_READ && lstat(path, &st) < 0 && errno == ENOENT)
        return 1;
    int r = mode == DB_MEMORY ? 0 : check_files(path, err);
    if (r < 0)
        return r;
    r = open_one_way(path, mode, false, migrations, ret, err);
    if (r >= 0 || mode != DB_WRITE || !may_go_alone(err))
        return r;
    Err alone;
    int again = open_one_way(path, mode, true, migrations, ret, &alone);
    if (again == -ERR_DAMAGED) /* a full disk had hidden it */
        *err = alone;
    return again == 0 || again == -ERR_DAMAGED ? again : r;
}

void db_close(Db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    arena_free(db->arena);
    free(db);
}

int db_begin(Db *db, DbDurable durable, Err *err)
{
    static const char *const levels[] = {
        [DB_NOW] = "PRAGMA synchronous = FULL", [DB_SOON] = "PRAGMA synchronous = NORMAL"};
    if (durable != db->durable) {
        int r = db_exec(db, levels[durable], err);
        if (r < 0)
            return r;
        db->durable = durable;
    }
    return db_exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(Db *db, Err *err)
{
    return db_exec(db, "COMMIT", err);
}

void db_rollback(Db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* --- Statements --- */

int db_prepare(Db *db, const char *sql, Statement **ret, Err *err)
{
    sqlite3_stmt *handle = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &handle, NULL);
    if (code != SQLITE_OK)
        return raise_code(db, code, "read", err);
    Statement *statement = xmalloc(sizeof *statement);
    *statement = (Statement){.handle = handle, .db = db};
    *ret = statement;
    return 0;
}

void statement_close(Statement *statement)
{
    if (!statement)
        return;
    sqlite3_finalize(statement->handle);
    free(statement);
}

static void remember(Statement *statement, int code)
{
    if (code != SQLITE_OK && statement->failed == 0)
        statement->failed = code;
}

void statement_bind_text(Statement *statement, int at, const char *text)
{
    remember(statement, sqlite3_bind_text(statement->handle, at, text, -1, SQLITE_TRANSIENT));
}

void statement_bind_int(Statement *statement, int at, int64_t value)
{
    remember(statement, sqlite3_bind_int64(statement->handle, at, value));
}

void statement_bind_double(Statement *statement, int at, double value)
{
    remember(statement, sqlite3_bind_double(statement->handle, at, value));
}

int statement_step(Statement *statement, Err *err)
{
    if (statement->failed)
        return raise_code(statement->db, statement->failed, "bind a value for", err);
    int code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW)
        return DB_ROW;
    return code == SQLITE_DONE ? 0 : raise_code(statement->db, code, "use", err);
}

void statement_reset(Statement *statement)
{
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
}

const char *statement_text(Statement *statement, Arena *arena, int at)
{
    return arena_strdup(arena, (const char *)sqlite3_column_text(statement->handle, at));
}

int64_t statement_int(Statement *statement, int at)
{
    return sqlite3_column_int64(statement->handle, at);
}

double statement_double(Statement *statement, int at)
{
    return sqlite3_column_double(statement->handle, at);
}

int statement_run(Statement *statement, int64_t *ret_changed, Err *err)
{
    int r = statement_step(statement, err);
    if (r == DB_ROW)
        return err_set(err, ERR_FAILED, "a statement on %s gave rows", statement->db->path);
    if (r == 0 && ret_changed)
        *ret_changed = sqlite3_changes64(statement->db->handle);
    return r;
}
