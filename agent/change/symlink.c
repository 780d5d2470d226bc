/* SPDX-License-Identifier: Apache-2.0 */
/* The change `symlink`: a symbolic link below a managed root, such as an enabled site. The target stands in it as it
 * was given, relative or absolute. What is no symlink is never replaced, and no link is made that leads nowhere: nginx
 * refuses to start over one (domain facts 2.6). */
#include <string.h>

#include "change/kinds.h"
#include "change/managed.h"

typedef struct SymlinkSpec {
    Value path, target;
    ValueVec also_affects;
} SymlinkSpec;

static const Field symlink_fields[] = {
    FIELD_PATH(SymlinkSpec, path, .required = true, .help = "The link, below a managed root."),
    FIELD_SCALAR(SymlinkSpec, target, .required = true,
                 .help = "Where it leads, absolute or relative to its directory; kept as written."),
    FIELD_ALSO_AFFECTS(SymlinkSpec),
    FIELDS_END,
};

enum { TARGET_MAX = 4000 };

static int lint_symlink(const void *data, Err *err)
{
    const char *target = ((const SymlinkSpec *)data)->target.text;
    if (!target[0] || strlen(target) > TARGET_MAX)
        return err_set(err, ERR_INVALID, "the target of a link is a path of 1 to %d bytes", TARGET_MAX);
    for (const char *c = target; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(err, ERR_INVALID, "the target of a link cannot hold control characters");
    }
    return 0;
}

/* The target, as seen from the link's real directory, must be there. */
static int check_leads_somewhere(ChangeContext *context, const char *path, const char *target, Err *err)
{
    const char *full = target, *resolved;
    const FileState *state;
    if (target[0] != '/')
        full = arena_printf(context->arena, "%.*s/%s", (int)(strrchr(path, '/') - path), path, target);
    int r = view_resolve(context->view, full, &resolved, err);
    if (r >= 0)
        r = view_get(context->view, resolved, &state, err);
    if (r < 0)
        return err_prefix(err, "%s -> %s", path, target);
    if (state->type == FILE_ABSENT)
        return err_set(err, ERR_REFUSED, "%s -> %s would lead nowhere: %s does not exist", path, target, resolved);
    return 0;
}

static int apply_symlink(ChangeContext *context, const void *data, Err *err)
{
    const SymlinkSpec *spec = data;
    const char *path, *target = spec->target.text;
    const FileState *now;
    int r = managed_path(context, spec->path.text, MANAGED_NOFOLLOW, &path, err);
    if (r >= 0)
        r = check_leads_somewhere(context, path, target, err);
    if (r >= 0)
        r = view_get(context->view, path, &now, err);
    if (r < 0)
        return r;
    change_concerns_file(context, path);
    change_wish_also(context, &spec->also_affects);
    if (now->type != FILE_ABSENT && now->type != FILE_SYMLINK)
        return err_set(err, ERR_REFUSED, "%s is a %s: only a symbolic link is replaced by one; move it away first",
                       path, file_type_to_string(now->type));
    if (now->type == FILE_SYMLINK && bytes_equal(now->content, bytes_of(target))) {
        change_note(context, NOTE_INFO, path, "stays: it leads to %s", target);
        return 0;
    }
    if (now->type == FILE_SYMLINK)
        change_note(context, NOTE_INFO, path, "leads to %s; it led to %s", target, now->content.data);
    FileState wished = {.type = FILE_SYMLINK, .uid = now->uid, .gid = now->gid, .content = bytes_of(target)};
    return view_put(context->view, path, &wished, err);
}

const ChangeKind change_symlink = {
    .name = "symlink",
    .help = "A symbolic link below a managed root, such as an enabled site.",
    .fields = symlink_fields,
    .spec_size = sizeof(SymlinkSpec),
    .lint = lint_symlink,
    .apply = apply_symlink,
};
