/* SPDX-License-Identifier: Apache-2.0 */
/* The settings, in the order of their names. Versions are those of Gunicorn's own documentation. */
#include "config/gunicorn.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FLAGS(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

/* clang-format off */
static const GunicornSetting settings[] = {
    {"access_log_format", FLAGS("--access-logformat"), GUNICORN_STRING, "%(h)s %(l)s %(u)s %(t)s \"%(r)s\" %(s)s %(b)s \"%(f)s\" \"%(a)s\""},
    {"accesslog", FLAGS("--access-logfile"), GUNICORN_STRING, NULL},
    {"asgi_disconnect_grace_period", FLAGS("--asgi-disconnect-grace-period"), GUNICORN_INT, "3", .since = "25.0"},
    {"asgi_lifespan", FLAGS("--asgi-lifespan"), GUNICORN_STRING, "auto", .since = "25.0"},
    {"asgi_loop", FLAGS("--asgi-loop"), GUNICORN_STRING, "auto", .since = "25.0"},
    {"backlog", FLAGS("--backlog"), GUNICORN_INT, "2048"},
    {"bind", FLAGS("--bind", "-b"), GUNICORN_LIST, "127.0.0.1:8000"},
    {"ca_certs", FLAGS("--ca-certs"), GUNICORN_STRING, NULL},
    {"capture_output", FLAGS("--capture-output"), GUNICORN_BOOL, "False"},
    {"casefold_http_method", FLAGS("--casefold-http-method"), GUNICORN_BOOL, "False", .since = "22.0"},
    {"cert_reqs", FLAGS("--cert-reqs"), GUNICORN_INT, "0"},
    {"certfile", FLAGS("--certfile"), GUNICORN_STRING, NULL},
    {"chdir", FLAGS("--chdir"), GUNICORN_STRING, NULL},
    {"check_config", FLAGS("--check-config"), GUNICORN_BOOL, "False"},
    {"child_exit", NULL, GUNICORN_CALLABLE, NULL},
    {"ciphers", FLAGS("--ciphers"), GUNICORN_STRING, NULL},
    {"config", FLAGS("--config", "-c"), GUNICORN_STRING, "./gunicorn.conf.py"},
    {"control_socket", FLAGS("--control-socket"), GUNICORN_STRING, "gunicorn.ctl", .since = "25.1"},
    {"control_socket_disable", FLAGS("--no-control-socket"), GUNICORN_BOOL, "False", .since = "25.1"},
    {"control_socket_mode", FLAGS("--control-socket-mode"), GUNICORN_INT, "384", .since = "25.1"},
    {"daemon", FLAGS("--daemon", "-D"), GUNICORN_BOOL, "False"},
    {"default_proc_name", NULL, GUNICORN_STRING, "gunicorn"},
    {"dirty_apps", FLAGS("--dirty-app"), GUNICORN_LIST, NULL, .since = "25.0"},
    {"dirty_graceful_timeout", FLAGS("--dirty-graceful-timeout"), GUNICORN_INT, "30", .since = "25.0"},
    {"dirty_post_fork", NULL, GUNICORN_CALLABLE, NULL, .since = "25.0"},
    {"dirty_threads", FLAGS("--dirty-threads"), GUNICORN_INT, "1", .since = "25.0"},
    {"dirty_timeout", FLAGS("--dirty-timeout"), GUNICORN_INT, "300", .since = "25.0"},
    {"dirty_worker_exit", NULL, GUNICORN_CALLABLE, NULL, .since = "25.0"},
    {"dirty_worker_init", NULL, GUNICORN_CALLABLE, NULL, .since = "25.0"},
    {"dirty_workers", FLAGS("--dirty-workers"), GUNICORN_INT, "0", .since = "25.0"},
    {"disable_redirect_access_to_syslog", FLAGS("--disable-redirect-access-to-syslog"), GUNICORN_BOOL, "False"},
    {"do_handshake_on_connect", FLAGS("--do-handshake-on-connect"), GUNICORN_BOOL, "False"},
    {"dogstatsd_tags", FLAGS("--dogstatsd-tags"), GUNICORN_STRING, "", .since = "20.0"},
    {"enable_backlog_metric", FLAGS("--enable-backlog-metric"), GUNICORN_BOOL, "False", .since = "24.0"},
    {"enable_stdio_inheritance", FLAGS("--enable-stdio-inheritance", "-R"), GUNICORN_BOOL, "False"},
    {"errorlog", FLAGS("--error-logfile", "--log-file"), GUNICORN_STRING, "-"},
    {"forwarded_allow_ips", FLAGS("--forwarded-allow-ips"), GUNICORN_STRING, "127.0.0.1"},
    {"forwarder_headers", FLAGS("--forwarder-headers"), GUNICORN_STRING, "SCRIPT_NAME,PATH_INFO", .since = "22.0"},
    {"graceful_timeout", FLAGS("--graceful-timeout"), GUNICORN_INT, "30"},
    {"group", FLAGS("--group", "-g"), GUNICORN_STRING, NULL},
    {"header_map", FLAGS("--header-map"), GUNICORN_STRING, "drop", .since = "22.0"},
    {"http2_initial_window_size", FLAGS("--http2-initial-window-size"), GUNICORN_INT, "65535", .since = "25.0"},
    {"http2_max_concurrent_streams", FLAGS("--http2-max-concurrent-streams"), GUNICORN_INT, "100", .since = "25.0"},
    {"http2_max_frame_size", FLAGS("--http2-max-frame-size"), GUNICORN_INT, "16384", .since = "25.0"},
    {"http2_max_header_list_size", FLAGS("--http2-max-header-list-size"), GUNICORN_INT, "65536", .since = "25.0"},
    {"http_parser", FLAGS("--http-parser"), GUNICORN_STRING, "auto", .since = "25.1"},
    {"http_protocols", FLAGS("--http-protocols"), GUNICORN_STRING, "h1", .since = "25.0"},
    {"initgroups", FLAGS("--initgroups"), GUNICORN_BOOL, "False"},
    {"keepalive", FLAGS("--keep-alive"), GUNICORN_INT, "2"},
    {"keyfile", FLAGS("--keyfile"), GUNICORN_STRING, NULL},
    {"limit_request_field_size", FLAGS("--limit-request-field_size"), GUNICORN_INT, "8190"},
    {"limit_request_fields", FLAGS("--limit-request-fields"), GUNICORN_INT, "100"},
    {"limit_request_line", FLAGS("--limit-request-line"), GUNICORN_INT, "4094"},
    {"logconfig", FLAGS("--log-config"), GUNICORN_STRING, NULL},
    {"logconfig_dict", NULL, GUNICORN_CALLABLE, NULL},
    {"logconfig_json", FLAGS("--log-config-json"), GUNICORN_STRING, NULL, .since = "21.0"},
    {"logger_class", FLAGS("--logger-class"), GUNICORN_STRING, "gunicorn.glogging.Logger"},
    {"loglevel", FLAGS("--log-level"), GUNICORN_STRING, "info"},
    {"max_requests", FLAGS("--max-requests"), GUNICORN_INT, "0"},
    {"max_requests_jitter", FLAGS("--max-requests-jitter"), GUNICORN_INT, "0"},
    {"nworkers_changed", NULL, GUNICORN_CALLABLE, NULL},
    {"on_dirty_starting", NULL, GUNICORN_CALLABLE, NULL, .since = "25.0"},
    {"on_exit", NULL, GUNICORN_CALLABLE, NULL},
    {"on_reload", NULL, GUNICORN_CALLABLE, NULL},
    {"on_starting", NULL, GUNICORN_CALLABLE, NULL},
    {"paste", FLAGS("--paste", "--paster"), GUNICORN_STRING, NULL},
    {"permit_obsolete_folding", FLAGS("--permit-obsolete-folding"), GUNICORN_BOOL, "False", .since = "23.0"},
    {"permit_unconventional_http_method", FLAGS("--permit-unconventional-http-method"), GUNICORN_BOOL, "False", .since = "22.0"},
    {"permit_unconventional_http_version", FLAGS("--permit-unconventional-http-version"), GUNICORN_BOOL, "False", .since = "22.0"},
    {"pidfile", FLAGS("--pid", "-p"), GUNICORN_STRING, NULL},
    {"post_fork", NULL, GUNICORN_CALLABLE, NULL},
    {"post_request", NULL, GUNICORN_CALLABLE, NULL},
    {"post_worker_init", NULL, GUNICORN_CALLABLE, NULL},
    {"pre_exec", NULL, GUNICORN_CALLABLE, NULL},
    {"pre_fork", NULL, GUNICORN_CALLABLE, NULL},
    {"pre_request", NULL, GUNICORN_CALLABLE, NULL},
    {"preload_app", FLAGS("--preload"), GUNICORN_BOOL, "False"},
    {"print_config", FLAGS("--print-config"), GUNICORN_BOOL, "False", .since = "20.1"},
    {"proc_name", FLAGS("--name", "-n"), GUNICORN_STRING, NULL},
    {"protocol", FLAGS("--protocol"), GUNICORN_STRING, "http", .since = "25.0"},
    {"proxy_allow_ips", FLAGS("--proxy-allow-from"), GUNICORN_STRING, "127.0.0.1"},
    {"proxy_protocol", FLAGS("--proxy-protocol"), GUNICORN_BOOL, "False"},
    {"pythonpath", FLAGS("--pythonpath"), GUNICORN_STRING, NULL},
    {"raw_env", FLAGS("--env", "-e"), GUNICORN_LIST, NULL},
    {"raw_paste_global_conf", FLAGS("--paste-global"), GUNICORN_LIST, NULL},
    {"reload", FLAGS("--reload"), GUNICORN_BOOL, "False"},
    {"reload_engine", FLAGS("--reload-engine"), GUNICORN_STRING, "auto"},
    {"reload_extra_files", FLAGS("--reload-extra-file"), GUNICORN_LIST, NULL},
    {"reuse_port", FLAGS("--reuse-port"), GUNICORN_BOOL, "False"},
    {"root_path", FLAGS("--root-path"), GUNICORN_STRING, "", .since = "25.0"},
    {"secure_scheme_headers", NULL, GUNICORN_CALLABLE, NULL},
    {"sendfile", FLAGS("--no-sendfile"), GUNICORN_BOOL, NULL, .store_false = true},
    {"spew", FLAGS("--spew"), GUNICORN_BOOL, "False"},
    {"ssl_context", NULL, GUNICORN_CALLABLE, NULL, .since = "21.0"},
    {"ssl_version", FLAGS("--ssl-version"), GUNICORN_STRING, NULL},
    {"statsd_host", FLAGS("--statsd-host"), GUNICORN_STRING, NULL},
    {"statsd_prefix", FLAGS("--statsd-prefix"), GUNICORN_STRING, ""},
    {"strip_header_spaces", FLAGS("--strip-header-spaces"), GUNICORN_BOOL, "False", .since = "20.0.1"},
    {"suppress_ragged_eofs", FLAGS("--suppress-ragged-eofs"), GUNICORN_BOOL, "True"},
    {"syslog", FLAGS("--log-syslog"), GUNICORN_BOOL, "False"},
    {"syslog_addr", FLAGS("--log-syslog-to"), GUNICORN_STRING, "udp://localhost:514"},
    {"syslog_facility", FLAGS("--log-syslog-facility"), GUNICORN_STRING, "user"},
    {"syslog_prefix", FLAGS("--log-syslog-prefix"), GUNICORN_STRING, NULL},
    {"threads", FLAGS("--threads"), GUNICORN_INT, "1"},
    {"timeout", FLAGS("--timeout", "-t"), GUNICORN_INT, "30"},
    {"tmp_upload_dir", NULL, GUNICORN_STRING, NULL},
    {"tolerate_dangerous_framing", FLAGS("--tolerate-dangerous-framing"), GUNICORN_BOOL, "False", .since = "22.0", .removed = "23.0"},
    {"umask", FLAGS("--umask", "-m"), GUNICORN_INT, "0"},
    {"user", FLAGS("--user", "-u"), GUNICORN_STRING, NULL},
    {"uwsgi_allow_ips", FLAGS("--uwsgi-allow-from"), GUNICORN_STRING, "127.0.0.1,::1", .since = "25.0"},
    {"when_ready", NULL, GUNICORN_CALLABLE, NULL},
    {"worker_abort", NULL, GUNICORN_CALLABLE, NULL},
    {"worker_class", FLAGS("--worker-class", "-k"), GUNICORN_STRING, "sync"},
    {"worker_connections", FLAGS("--worker-connections"), GUNICORN_INT, "1000"},
    {"worker_exit", NULL, GUNICORN_CALLABLE, NULL},
    {"worker_int", NULL, GUNICORN_CALLABLE, NULL},
    {"worker_tmp_dir", FLAGS("--worker-tmp-dir"), GUNICORN_STRING, NULL},
    {"workers", FLAGS("--workers", "-w"), GUNICORN_INT, "1"},
    {"wsgi_app", NULL, GUNICORN_STRING, NULL, .since = "20.1"},
};
/* clang-format on */

const GunicornSetting *gunicorn_settings(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(settings);
    return settings;
}

static int compare(const void *name, const void *setting)
{
    return strcmp(name, ((const GunicornSetting *)setting)->name);
}

const GunicornSetting *gunicorn_setting(const char *name)
{
    return bsearch(name, settings, ARRAY_LEN(settings), sizeof settings[0], compare);
}

int gunicorn_parse_int(const char *text, uint64_t *ret, Err *err)
{
    static const char blanks[] = " \t\r\n\f\v";
    const char *p = text + strspn(text, blanks);
    p += *p == '+';
    const char *digits = p;
    uint64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (value > INT32_MAX / 10)
            return err_set(err, ERR_INVALID, "\"%.32s...\" is too large", text);
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (p == digits || p[strspn(p, blanks)] != '\0')
        return err_set(err, ERR_INVALID, "\"%.64s\" is no whole number that Gunicorn takes", text);
    *ret = value;
    return 0;
}
