/* SPDX-License-Identifier: Apache-2.0 */
#include "change/managed.h"

#include <string.h>

static bool is_below(const char *path, const char *root)
{
    size_t len = strlen(root);
    while (len > 0 && root[len - 1] == '/')
        len--;
    return strncmp(path, root, len) == 0 && path[len] == '/' && path[len + 1];
}

static char *roots_text(ChangeContext *context)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    VEC_EACH (root, context->managed_roots)
        strbuf_printf(&text, "%s%s", text.len ? ", " : "", *root);
    return strbuf_dup(context->arena, &text);
}

/* 1: below none. A root may be a symlink itself. */
static int check_below(ChangeContext *context, const char *path, bool resolved, Err *err)
{
    VEC_EACH (root, context->managed_roots) {
        const char *real = *root;
        int r = resolved ? view_resolve(context->view, *root, &real, err) : 0;
        if (r < 0)
            return r;
        if (is_below(path, real))
            return 0;
    }
    return 1;
}

/* The parent's symlinks followed, the last component as it is. */
static int resolve_parent(ChangeContext *context, const char *path, const char **ret, Err *err)
{
    const char *slash = strrchr(path, '/'), *parent;
    const char *dir = slash > path ? arena_strndup(context->arena, path, (size_t)(slash - path)) : "/";
    int r = view_resolve(context->view, dir, &parent, err);
    if (r >= 0)
        *ret = arena_printf(context->arena, "%s%s", str_equal(parent, "/") ? "" : parent, slash);
    return r;
}

int managed_path(ChangeContext *context, const char *path, ManagedLink link, const char **ret, Err *err)
{
    const char *resolved;
    int r = check_below(context, path, false, err);
    if (r > 0)
        return err_set(err, ERR_REFUSED,
                       "%s lies below no managed root (%s); managed_roots in /etc/salve/salve.yaml "
                       "says where salve may write",
                       path, roots_text(context));
    if (r >= 0)
        r = link == MANAGED_FOLLOW ? view_resolve(context->view, path, &resolved, err)
                                   : resolve_parent(context, path, &resolved, err);
    if (r >= 0)
        r = check_below(context, resolved, true, err);
    if (r < 0)
        return r;
    if (r > 0)
        return err_set(err, ERR_REFUSED,
                       "%s leads to %s through a symbolic link, which lies below no managed root (%s)", path, resolved,
                       roots_text(context));
    if (strrchr(resolved, '/')[1] == '.')
        return err_set(err, ERR_REFUSED,
                       "%s: a name that starts with a dot is not read by includes and drop-in "
                       "directories",
                       path);
    *ret = resolved;
    return 0;
}
