/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/writers.h"

enum { DJANGO = 999, WWW = 33, STAFF = 50 };

/* Version 2; user::rwx, user:999:rw-, user:998:r--, group::rwx, group:50:-w-, mask::rwx, other::r-x */
static const char acl[] = "\x02\0\0\0"
                          "\x01\0\x07\0\xff\xff\xff\xff"
                          "\x02\0\x06\0\xe7\x03\0\0"
                          "\x02\0\x04\0\xe6\x03\0\0"
                          "\x04\0\x07\0\xff\xff\xff\xff"
                          "\x08\0\x02\0\x32\0\0\0"
                          "\x10\0\x07\0\xff\xff\xff\xff"
                          "\x20\0\x05\0\xff\xff\xff\xff";

static FileState state_of(FileType type, mode_t mode, uid_t uid, gid_t gid)
{
    return (FileState){.type = type, .mode = mode, .uid = uid, .gid = gid, .content = BYTES("")};
}

static char *text_of(Arena *arena, const WriterVec *writers)
{
    static const char letters[] = {[WRITER_USER] = 'u', [WRITER_GROUP] = 'g', [WRITER_ANYONE] = '*'};
    char *text = arena_strdup(arena, "");
    VEC_EACH (writer, writers)
        text = arena_printf(arena, "%s%s%c%u", text, text[0] ? " " : "", letters[writer->kind], writer->id);
    return text;
}

static char *writers_text(Arena *arena, FileState state)
{
    WriterVec writers = {0};
    writers_of(arena, &state, &writers);
    return text_of(arena, &writers);
}

static char *entry_text(Arena *arena, FileState directory, uid_t owner)
{
    WriterVec writers = {0};
    FileState entry = state_of(FILE_SYMLINK, 0, owner, 0);
    writers_of_entry(arena, &directory, &entry, &writers);
    return text_of(arena, &writers);
}

static void the_mode_says_who_writes(void **context)
{
    (void)context;
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(writers_text(arena, state_of(FILE_DIRECTORY, 0755, 0, 0)), "");
    assert_string_equal(writers_text(arena, state_of(FILE_DIRECTORY, 0775, 0, 0)), "");
    assert_string_equal(writers_text(arena, state_of(FILE_DIRECTORY, 02775, 0, STAFF)), "g50");
    assert_string_equal(writers_text(arena, state_of(FILE_DIRECTORY, 0500, DJANGO, STAFF)), "u999");
    assert_string_equal(writers_text(arena, state_of(FILE_REGULAR, 0666, DJANGO, WWW)), "u999 g33 *0");
}

static void an_acl_names_further_writers(void **context)
{
    (void)context;
    CLEANUP(arena_free) Arena *arena = arena_new();
    FileState state = state_of(FILE_DIRECTORY, 0775, 0, WWW);
    *vec_push(arena, &state.xattrs) = (Xattr){"system.posix_acl_access", {acl, sizeof acl - 1}};
    assert_string_equal(writers_text(arena, state), "u999 g33 g50");
    state.mode = 0755; /* the mask is r-x */
    assert_string_equal(writers_text(arena, state), "");
}

static void a_sticky_directory_keeps_entries_for_their_owners(void **context)
{
    (void)context;
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(entry_text(arena, state_of(FILE_DIRECTORY, 01777, 0, 0), 0), "");
    assert_string_equal(entry_text(arena, state_of(FILE_DIRECTORY, 01777, 0, 0), DJANGO), "u999");
    assert_string_equal(entry_text(arena, state_of(FILE_DIRECTORY, 01777, WWW, 0), 0), "u33");
    assert_string_equal(entry_text(arena, state_of(FILE_DIRECTORY, 0777, 0, 0), 0), "*0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mode_says_who_writes),
        cmocka_unit_test(an_acl_names_further_writers),
        cmocka_unit_test(a_sticky_directory_keeps_entries_for_their_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
