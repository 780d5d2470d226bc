/* SPDX-License-Identifier: Apache-2.0 */
#include "base/writers.h"

#include <sys/stat.h>

/* system.posix_acl_access, as the kernel has it (linux/posix_acl_xattr.h): a version, then entries, little-endian. */
#define ACL_NAME "system.posix_acl_access"
enum { ACL_HEADER = 4, ACL_ENTRY = 8, ACL_WRITE = 2 };
enum { ACL_USER = 0x02, ACL_GROUP_OBJ = 0x04, ACL_GROUP = 0x08 };

typedef struct AclEntry {
    uint32_t tag, perm, id;
} AclEntry;

void writers_add(Arena *arena, WriterVec *writers, Writer writer)
{
    VEC_EACH (known, writers) {
        if (known->kind == writer.kind && known->id == writer.id)
            return;
    }
    *vec_push(arena, writers) = writer;
}

static void add_user(Arena *arena, WriterVec *writers, uint32_t uid)
{
    if (uid != 0)
        writers_add(arena, writers, (Writer){WRITER_USER, uid});
}

static void add_group(Arena *arena, WriterVec *writers, uint32_t gid)
{
    if (gid != 0)
        writers_add(arena, writers, (Writer){WRITER_GROUP, gid});
}

static const Xattr *find_acl(const FileState *state)
{
    VEC_EACH (xattr, &state->xattrs) {
        if (str_equal(xattr->name, ACL_NAME))
            return xattr;
    }
    return NULL;
}

static uint32_t little_endian(const char *bytes, size_t n)
{
    uint32_t value = 0;
    while (n-- > 0)
        value = value << 8 | (unsigned char)bytes[n];
    return value;
}

static AclEntry acl_entry(Bytes acl, size_t at)
{
    return (AclEntry){
        .tag = little_endian(acl.data + at, 2),
        .perm = little_endian(acl.data + at + 2, 2),
        .id = little_endian(acl.data + at + 4, 4),
    };
}

/* The group bits of the mode are the ACL's mask: without them none of its entries writes. */
static void add_acl(Arena *arena, const FileState *state, Bytes acl, WriterVec *writers)
{
    for (size_t at = ACL_HEADER; at + ACL_ENTRY <= acl.len; at += ACL_ENTRY) {
        AclEntry entry = acl_entry(acl, at);
        if (!(entry.perm & ACL_WRITE))
            continue;
        if (entry.tag == ACL_USER)
            add_user(arena, writers, entry.id);
        else if (entry.tag == ACL_GROUP)
            add_group(arena, writers, entry.id);
        else if (entry.tag == ACL_GROUP_OBJ)
            add_group(arena, writers, state->gid);
    }
}

void writers_of(Arena *arena, const FileState *state, WriterVec *writers)
{
    const Xattr *acl = find_acl(state);
    add_user(arena, writers, state->uid);
    if ((state->mode & S_IWGRP) && acl)
        add_acl(arena, state, acl->value, writers);
    else if (state->mode & S_IWGRP)
        add_group(arena, writers, state->gid);
    if (state->mode & S_IWOTH)
        writers_add(arena, writers, (Writer){WRITER_ANYONE, 0});
}

void writers_of_entry(Arena *arena, const FileState *directory, const FileState *entry, WriterVec *writers)
{
    if (!(directory->mode & S_ISVTX)) {
        writers_of(arena, directory, writers);
        return;
    }
    add_user(arena, writers, directory->uid);
    add_user(arena, writers, entry->uid);
}
