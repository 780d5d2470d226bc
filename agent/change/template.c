/* SPDX-License-Identifier: Apache-2.0 */
/* The change `template`: a whole file below a managed root, from a template. The values are the playbook's variables
 * and facts of the host; the template says which escaping its target needs, and must say so: a value never becomes
 * more than the word that it is (promise 9). The template must be root's, as a playbook must. */
#include "data/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "change/kinds.h"
#include "change/managed.h"
#include "change/template-facts.h"
#include "config/escape.h"
#include "host/trust.h"

typedef struct TemplateSpec {
    Value name, path, mode, owner, unit;
    ValueVec also_affects;
} TemplateSpec;

static const Field template_fields[] = {
    FIELD_WORD(TemplateSpec, name, .required = true, .help = "The template's file name, in one of the directories."),
    FIELD_PATH(TemplateSpec, path, .required = true, .help = "The file to make, below a managed root."),
    FIELD_SCALAR(TemplateSpec, mode, .help = "\"0640\"; by default what the file has, 0644 for a new one."),
    FIELD_WORD(TemplateSpec, owner,
               .help = "USER or USER:GROUP; by default what the file has, root:root for a new one."),
    FIELD_UNIT(TemplateSpec, unit, .allow_auto = true, .default_text = "auto",
               .help = "The Gunicorn service that `gunicorn.*` in the template is about."),
    FIELD_ALSO_AFFECTS(TemplateSpec),
    FIELDS_END,
};

/* --- the template */

/* Through the view, as everything, but only what is root's: the way to it cannot change in between. */
static int read_template(ChangeContext *context, const char *path, Bytes *ret, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    int r = view_read(context->view, path, ret, NULL, err);
    return r != 0 ? r : trusted_open(view_root(context->view), path, &fd, err);
}

static int check_template_name(const char *name, Err *err)
{
    if (strchr(name, '/') || name[0] == '.')
        return err_set(err, ERR_INVALID, "\"%s\" is not the name of a template: a file name without directories", name);
    return 0;
}

static int find_template(void *userdata, const char *name, const Template **ret, Err *err)
{
    ChangeContext *context = userdata;
    CLEANUP(strbuf_free) StrBuf where = STRBUF_INIT(4096);
    int r = check_template_name(name, err);
    if (r < 0)
        return r;
    VEC_EACH (dir, context->template_dirs) {
        Bytes text;
        const char *path = arena_printf(context->arena, "%s/%s", *dir, name);
        r = read_template(context, path, &text, err);
        if (r <= 0)
            return r < 0 ? r : template_parse(context->arena, path, text, ret, err);
        strbuf_printf(&where, "%s%s", where.len ? ", " : "", *dir);
    }
    return err_set(err, ERR_REFUSED, "there is no template \"%s\" in %s", name, strbuf_str(&where));
}

/* --- its values */

static bool asks_for(const StringVec *names, const char *map)
{
    size_t len = strlen(map);
    VEC_EACH (name, names) {
        if (strncmp(*name, map, len) == 0 && ((*name)[len] == '\0' || (*name)[len] == '.'))
            return true;
    }
    return false;
}

/* Names that the template and its partials ask for; those of partials that cannot be read are told when they are
 * rendered. */
static void all_names(ChangeContext *context, const Template *template, StringVec *names)
{
    StringVec partials = {0};
    template_names(context->arena, template, names, &partials);
    for (size_t i = 0; i < partials.n; i++) {
        const Template *partial;
        StringVec more = {0};
        Err ignored;
        if (find_template(context, partials.items[i], &partial, &ignored) < 0)
            continue;
        template_names(context->arena, partial, names, &more);
        VEC_EACH (name, &more) {
            if (!strings_contain(&partials, *name))
                *vec_push(context->arena, &partials) = *name;
        }
    }
}

/* Facts are gathered where the template asks for them: a template without Gunicorn needs none on the host. */
static int gather(ChangeContext *context, const TemplateSpec *spec, const Template *template, Node **ret, Err *err)
{
    Arena *arena = context->arena;
    StringVec names = {0};
    const Node *facts;
    Node *values = context->variables ? scope_to_node(arena, context->variables) : node_map(arena);
    all_names(context, template, &names);
    if (asks_for(&names, "host"))
        node_set(arena, values, "host", facts_host(context));
    if (asks_for(&names, "gunicorn")) {
        int r = facts_gunicorn(context, spec->unit.text, &facts, err);
        if (r < 0)
            return err_prefix(err, "template %s asks for gunicorn.*", spec->name.text);
        node_set(arena, values, "gunicorn", node_dup(arena, facts));
    }
    if (asks_for(&names, "nginx")) {
        int r = facts_nginx(context, &facts, err);
        if (r < 0)
            return err_prefix(err, "template %s asks for nginx.*", spec->name.text);
        node_set(arena, values, "nginx", node_dup(arena, facts));
    }
    *ret = values;
    return 0;
}

static int render(ChangeContext *context, const TemplateSpec *spec, Bytes *ret, Err *err)
{
    const Template *template;
    Node *values = NULL;
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(TEMPLATE_MAX_OUTPUT);
    int r = find_template(context, spec->name.text, &template, err);
    if (r < 0)
        return r;
    const char *escape = template_escape_name(template);
    if (!escape || !escape_by_name(escape))
        return err_set(err, ERR_INVALID,
                       "template %s does not say in its first line which escaping its target needs: {{! escape: nginx "
                       "}}",
                       spec->name.text);
    TemplateOptions options = {.escape = str_equal(escape, "raw") ? NULL : escape_by_name(escape),
                               .partial = find_template,
                               .userdata = context};
    r = gather(context, spec, template, &values, err);
    if (r >= 0)
        r = template_render(template, values, &options, &out, err);
    if (r >= 0)
        *ret = strbuf_bytes(context->arena, &out);
    return r;
}

/* --- the file */

static int parse_mode(const char *text, mode_t *ret, Err *err)
{
    size_t len = strlen(text);
    if (len < 3 || len > 4 || strspn(text, "01234567") != len || (len == 4 && text[0] != '0'))
        return err_set(err, ERR_INVALID, "\"%s\" is not a file mode: three octal digits, as \"0640\"", text);
    *ret = (mode_t)strtoul(text, NULL, 8);
    if (*ret & 002)
        return err_set(err, ERR_INVALID, "a file with mode %s could be written by everybody", text);
    return 0;
}

/* The third field of the name's line in /etc/passwd or /etc/group. */
static int find_id(View *view, const char *file, const char *name, uint32_t *ret, Err *err)
{
    Bytes text;
    size_t len = strlen(name);
    int r = view_read(view, file, &text, NULL, err);
    if (r < 0)
        return r;
    for (const char *line = text.data; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
        const char *colon = strncmp(line, name, len) == 0 && line[len] == ':' ? strchr(line + len + 1, ':') : NULL;
        if (!colon)
            continue;
        char *end;
        unsigned long id = strtoul(colon + 1, &end, 10);
        if (end == colon + 1 || *end != ':' || id >= UINT32_MAX)
            return err_set(err, ERR_REFUSED, "%s: the line of %s has no number", file, name);
        *ret = (uint32_t)id;
        return 0;
    }
    return err_set(err, ERR_REFUSED, "there is no %s in %s", name, file);
}

static int parse_owner(View *view, const char *text, FileState *state, Err *err)
{
    Arena *arena = view_arena(view);
    const char *colon = strchr(text, ':');
    const char *user = colon ? arena_strndup(arena, text, (size_t)(colon - text)) : text;
    int r = find_id(view, "/etc/passwd", user, &state->uid, err);
    if (r >= 0 && colon)
        r = find_id(view, "/etc/group", colon + 1, &state->gid, err);
    return r;
}

static int put(ChangeContext *context, const TemplateSpec *spec, const char *path, Bytes content, Err *err)
{
    const FileState *now;
    int r = view_get(context->view, path, &now, err);
    if (r < 0)
        return r;
    if (now->type != FILE_ABSENT && now->type != FILE_REGULAR)
        return err_set(err, ERR_REFUSED, "%s is a %s and not a file", path, file_type_to_string(now->type));
    FileState wished = *now;
    if (now->type == FILE_ABSENT)
        wished = (FileState){.type = FILE_REGULAR, .mode = 0644};
    wished.content = content;
    if (value_is_set(&spec->mode))
        r = parse_mode(spec->mode.text, &wished.mode, err);
    if (r >= 0 && value_is_set(&spec->owner))
        r = parse_owner(context->view, spec->owner.text, &wished, err);
    if (r < 0)
        return r;
    if (file_state_equal(now, &wished))
        change_note(context, NOTE_INFO, path, "stays: it is what %s makes", spec->name.text);
    return view_put(context->view, path, &wished, err);
}

static int apply_template(ChangeContext *context, const void *data, Err *err)
{
    const TemplateSpec *spec = data;
    const char *path;
    Bytes content;
    int r = managed_path(context, spec->path.text, MANAGED_FOLLOW, &path, err);
    if (r >= 0)
        r = render(context, spec, &content, err);
    if (r < 0)
        return r;
    change_concerns_file(context, path);
    change_wish_also(context, &spec->also_affects);
    return put(context, spec, path, content, err);
}

static int lint_template(const void *data, Err *err)
{
    const TemplateSpec *spec = data;
    mode_t ignored;
    int r = check_template_name(spec->name.text, err);
    return r >= 0 && value_is_set(&spec->mode) ? parse_mode(spec->mode.text, &ignored, err) : r;
}

const ChangeKind change_template = {
    .name = "template",
    .help = "A whole file below a managed root, from a template.",
    .fields = template_fields,
    .spec_size = sizeof(TemplateSpec),
    .lint = lint_template,
    .apply = apply_template,
};
