/* SPDX-License-Identifier: Apache-2.0 */
/* The services behind the simulated systemd: Gunicorn with two workers and nginx with two. A service's memory is the
 * hash of all that it loaded; its processes are files below /proc, which the agent's own readers of /proc read. */
#include <time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim.h"
#include "tree.h"
#include "world.h"

/* As the kernel counts the start of a process; real time, since it is compared with the times of files. */
static uint64_t ticks_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    long hz = sysconf(_SC_CLK_TCK);
    return (uint64_t)now.tv_sec * (uint64_t)hz + (uint64_t)now.tv_nsec / (1000000000u / (uint64_t)hz);
}

Service *services_find(const char *unit)
{
    for (size_t i = 0; i < ARRAY_LEN(sim->services); i++) {
        if (str_equal(sim->services[i].unit, unit))
            return &sim->services[i];
    }
    return NULL;
}

/* --- Processes --- */

static void write_proc(const char *root, unsigned pid, const char *name, Bytes content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/proc/%u/%s", root, pid, name);
    world_write(path, content);
}

static void spawn(const char *root, unsigned pid, unsigned parent, Bytes cmdline, Bytes environment)
{
    char text[256];
    snprintf(text, sizeof text, "%s/proc/%u", root, pid);
    mkdir(text, 0755);
    int len = snprintf(text, sizeof text, "%u (sim) S %u 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0 0\n", pid, parent,
                       (unsigned long long)ticks_now());
    write_proc(root, pid, "stat", (Bytes){text, (size_t)len});
    write_proc(root, pid, "cmdline", cmdline);
    write_proc(root, pid, "environ", environment);
    write_proc(root, pid, "status", BYTES("Name:\tsim\nVmRSS:\t1024 kB\n"));
}

static void end_process(const char *root, unsigned pid)
{
    static const char *const names[] = {"stat", "cmdline", "environ", "status", ""};
    char path[256];
    for (size_t i = 0; pid && i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/proc/%u/%s", root, pid, names[i]);
        remove(path);
    }
}

static void end_workers(const char *root, Service *service)
{
    for (size_t i = 0; i < SIM_WORKERS; i++) {
        end_process(root, service->workers[i]);
        service->workers[i] = 0;
    }
}

static void spawn_workers(const char *root, Service *service, Bytes cmdline, Bytes environment)
{
    for (size_t i = 0; i < SIM_WORKERS; i++) {
        service->workers[i] = ++sim->last_pid;
        spawn(root, service->workers[i], service->main_pid, cmdline, environment);
    }
}

/* --- What they load --- */

static const char *read_text(Arena *arena, const char *root, const char *path)
{
    Bytes content = BYTES("");
    Err err;
    if (files_load(arena, arena_printf(arena, "%s%s", root, path), SIM_TEXT, &content, &err) != 0)
        return "";
    return content.data;
}

static const char *units_on_disk(Arena *arena, const char *root, StringVec *ret_dropins)
{
    const char *text = read_text(arena, root, "/etc/systemd/system/" SIM_GUNICORN);
    StringVec names = tree_list(arena, root, "/etc/systemd/system/" SIM_GUNICORN ".d");
    VEC_EACH (name, &names) {
        if (!str_ends(*name, ".conf") || strrchr(*name, '/')[1] == '.')
            continue;
        *vec_push(arena, ret_dropins) = *name;
        text = arena_printf(arena, "%s\n%s", text, read_text(arena, root, *name));
    }
    return text;
}

static const char *gunicorn_reads(Arena *arena, const char *root, const char *units)
{
    return arena_printf(arena, "%s\n%s", units, read_text(arena, root, WORLD_ENV));
}

/* As nginx.conf includes them; a link is read through. */
static const char *nginx_reads(Arena *arena, const char *root)
{
    static const char *const dirs[] = {"/etc/nginx/conf.d", "/etc/nginx/sites-enabled"};
    const char *text = read_text(arena, root, "/etc/nginx/nginx.conf");
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        StringVec names = tree_list(arena, root, dirs[i]);
        VEC_EACH (name, &names) {
            const char *path = strrchr(*name, '/')[1] == '.' ? NULL : *name;
            if (path && str_starts(path, "/etc/nginx/sites-enabled/"))
                path = arena_printf(arena, "/etc/nginx/sites-available/%s", strrchr(path, '/') + 1);
            if (path)
                text = arena_printf(arena, "%s\n%s\n%s", text, *name, read_text(arena, root, path));
        }
    }
    return text;
}

static bool is_wished(const char *text)
{
    return strstr(text, WORLD_WISHED_ENV) || strstr(text, WORLD_WISHED_NGINX);
}

static void remember(Arena *arena, Service *service, const char *text)
{
    snprintf(service->uses, sizeof service->uses, "%s", hash_to_hex(arena, hash_of(text, strlen(text))));
    service->uses_mark = is_wished(text);
}

/* --- What happens to them --- */

static void load_units(const char *root)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec dropins = {0};
    snprintf(sim->loaded, sizeof sim->loaded, "%s", units_on_disk(arena, root, &dropins));
    sim->dropin_count = 0;
    VEC_EACH (path, &dropins)
        snprintf(sim->dropins[sim->dropin_count++], sizeof sim->dropins[0], "%s", *path);
}

void services_load_units(void)
{
    load_units("");
}

/* GUNICORN_CMD_ARGS="--timeout 30" of the environment file, as the process gets it. */
static Bytes environment(Arena *arena, const char *root)
{
    char *text = arena_strdup(arena, read_text(arena, root, WORLD_ENV)), *out = text;
    for (const char *at = text; *at; at++) {
        if (*at != '"')
            *out++ = *at == '\n' ? '\0' : *at;
    }
    return (Bytes){text, (size_t)(out - text)};
}

static bool start_gunicorn(Arena *arena, const char *root, Service *service)
{
    static const char cmdline[] = "/usr/bin/gunicorn\0--bind\0"
                                  "127.0.0.1:8000\0"
                                  "site.wsgi:application";
    const char *text = gunicorn_reads(arena, root, sim->loaded);
    if (sim->knobs.new_does_not_start && is_wished(text))
        return false;
    service->main_pid = ++sim->last_pid;
    Bytes env = environment(arena, root);
    spawn(root, service->main_pid, 1, (Bytes){cmdline, sizeof cmdline}, env);
    spawn_workers(root, service, (Bytes){cmdline, sizeof cmdline}, env);
    remember(arena, service, text);
    return true;
}

static void spawn_nginx_workers(Arena *arena, const char *root, Service *service)
{
    spawn_workers(root, service, BYTES("nginx: worker process"), BYTES(""));
    remember(arena, service, nginx_reads(arena, root));
}

static bool start(const char *root, Service *service)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    end_workers(root, service);
    end_process(root, service->main_pid);
    service->main_pid = 0;
    snprintf(service->invocation, sizeof service->invocation, "%032x", ++sim->last_pid);
    if (str_equal(service->unit, SIM_GUNICORN)) {
        service->active = start_gunicorn(arena, root, service);
    } else {
        service->main_pid = ++sim->last_pid;
        spawn(root, service->main_pid, 1, BYTES("nginx: master process /usr/sbin/nginx"), BYTES(""));
        spawn_nginx_workers(arena, root, service);
        service->active = true;
    }
    service->failed = !service->active;
    return service->active;
}

bool services_start(Service *service)
{
    return start("", service);
}

bool services_reload(Service *service)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    end_workers("", service);
    spawn_nginx_workers(arena, "", service);
    return true;
}

static void end_all(const char *root)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec names = tree_list(arena, root, "/proc");
    VEC_EACH (path, &names) {
        unsigned long pid = strtoul(strrchr(*path, '/') + 1, NULL, 10);
        end_process(root, (unsigned)pid);
    }
}

void services_restart(const char *root)
{
    load_units(root);
    for (size_t i = 0; i < ARRAY_LEN(sim->services); i++)
        start(root, &sim->services[i]);
}

void services_boot(const char *root)
{
    end_all(root);
    sim->services[0] = (Service){.unit = SIM_GUNICORN};
    sim->services[1] = (Service){.unit = SIM_NGINX};
    sim->last_pid = 1000;
    sim->knobs = (Knobs){0};
    services_restart(root);
}

const char *services_disagree(const char *root)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec dropins = {0};
    const char *units = units_on_disk(arena, root, &dropins);
    if (!str_equal(units, sim->loaded))
        return "systemd has not loaded the unit files as they are";
    const char *reads[] = {gunicorn_reads(arena, root, units), nginx_reads(arena, root)};
    for (size_t i = 0; i < ARRAY_LEN(sim->services); i++) {
        Service *service = &sim->services[i];
        if (!service->active)
            return str_equal(service->unit, SIM_NGINX) ? "nginx is down" : "Gunicorn is down";
        if (!str_equal(service->uses, hash_to_hex(arena, hash_of(reads[i], strlen(reads[i])))))
            return str_equal(service->unit, SIM_NGINX) ? "nginx runs another configuration than lies on disk"
                                                       : "Gunicorn runs another configuration than lies on disk";
    }
    return NULL;
}
