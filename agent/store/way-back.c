/* SPDX-License-Identifier: Apache-2.0 */
#include "store/way-back.h"

#include "base/cleanup.h"
#include "store/ledger-internal.h"

static int write_intent(Ledger *ledger, const char *id, const char *intent, Err *err)
{
    CLEANUP(statement_close) Statement *update = NULL;
    int r = db_prepare(ledger->db, "UPDATE runs SET intent = ?1 WHERE id = ?2", &update, err);
    if (r < 0)
        return r;
    statement_bind_text(update, 1, intent);
    statement_bind_text(update, 2, id);
    return statement_run(update, NULL, err);
}

int way_back_write(Ledger *ledger, const char *id, const WayBack *way_back, Err *err)
{
    CLEANUP(statement_close) Statement *update = NULL;
    int r = write_intent(ledger, id, way_back->intent, err);
    if (r == 0)
        r = db_prepare(ledger->db,
                       "UPDATE run_files SET place = ?1, before = ?2, after = ?3 WHERE run = ?4 AND path = ?5", &update,
                       err);
    for (size_t i = 0; r == 0 && i < way_back->files.n; i++) {
        const WayBackFile *file = &way_back->files.items[i];
        statement_reset(update);
        statement_bind_int(update, 1, (int64_t)i);
        statement_bind_text(update, 2, file->before);
        statement_bind_text(update, 3, file->after);
        statement_bind_text(update, 4, id);
        statement_bind_text(update, 5, file->path);
        r = statement_run(update, NULL, err);
    }
    return r;
}

static int read_intent(Ledger *ledger, Arena *arena, const char *id, const char **ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(ledger->db, "SELECT intent FROM runs WHERE id = ?", &select, err);
    if (r < 0)
        return r;
    statement_bind_text(select, 1, id);
    r = statement_step(select, err);
    *ret = r == DB_ROW ? statement_text(select, arena, 0) : NULL;
    return r < 0 ? r : *ret == NULL;
}

int way_back_read(Ledger *ledger, Arena *arena, const char *id, WayBack *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    WayBack found = {0};
    int r = read_intent(ledger, arena, id, &found.intent, err);
    if (r != 0)
        return r;
    r = db_prepare(ledger->db,
                   "SELECT path, before, after FROM run_files WHERE run = ? AND before IS NOT NULL ORDER BY place",
                   &select, err);
    if (r < 0)
        return r;
    statement_bind_text(select, 1, id);
    while ((r = statement_step(select, err)) == DB_ROW)
        *vec_push(arena, &found.files) = (WayBackFile){
            .path = statement_text(select, arena, 0),
            .before = statement_text(select, arena, 1),
            .after = statement_text(select, arena, 2),
        };
    if (r == 0)
        *ret = found;
    return r;
}
