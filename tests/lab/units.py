# SPDX-License-Identifier: Apache-2.0
"""The systemd units of a lab host, in the shape of the runbook's, and where each variant keeps Gunicorn's settings."""

CONFIG_FILE = "/etc/site/gunicorn.conf.py"
ENVIRONMENT_FILE = "/etc/site/gunicorn.env"
APPLICATION = "project.wsgi:application"

BINDS = {"tcp": "127.0.0.1:8000", "unix": "unix:/run/gunicorn/gunicorn.sock", "socket": None}


def settings(spec):
    """Gunicorn's settings of this spec, by the names of its configuration file."""
    chosen = {"bind": BINDS[spec.bind], "workers": spec.workers}
    if spec.worker == "gthread":
        chosen["threads"] = spec.threads
    chosen.update(timeout=spec.timeout, graceful_timeout=spec.graceful_timeout)
    return {name: value for name, value in chosen.items() if value is not None}


def flags(chosen):
    return [f"--{name.replace('_', '-')} {value}" for name, value in chosen.items()]


def environment_settings(spec):
    """What of the settings lives in the environment file."""
    if spec.settings == "env":
        return {"GUNICORN_CMD_ARGS": " ".join(flags(settings(spec)))}
    if spec.settings == "web-concurrency":
        return {"WEB_CONCURRENCY": str(spec.workers)}
    return {}


def config_file(spec):
    chosen = settings(spec)
    if spec.worker == "gthread":
        chosen["worker_class"] = "gthread"
    chosen.update(max_requests=1000, max_requests_jitter=100)
    return "".join(f'{name} = "{value}"\n' if isinstance(value, str) else f"{name} = {value}\n"
                   for name, value in chosen.items())


def command_words(spec):
    chosen = settings(spec)
    if spec.settings == "file":
        return [f"-c {CONFIG_FILE}"]
    if spec.settings == "env":
        return []
    if spec.settings == "web-concurrency":
        del chosen["workers"]
    return flags(chosen)


def exec_start(spec):
    words = ["/usr/bin/gunicorn", *command_words(spec), APPLICATION]
    if spec.wrapper:
        return f"/bin/sh -c 'exec {' '.join(words)}'"
    return " \\\n    ".join(words)


def gunicorn_service(spec):
    unit = ["Description=Gunicorn serving the site", "After=network.target"]
    if spec.bind == "socket":
        unit.append("Requires=gunicorn.socket")
    service = [
        "Type=notify",
        "NotifyAccess=main",
        "User=django",
        "Group=www-data",
        f"EnvironmentFile={ENVIRONMENT_FILE}",
        "WorkingDirectory=/srv/%i/current" if spec.template else "WorkingDirectory=/srv/site/current",
        f"ExecStart={exec_start(spec)}",
        "ExecReload=/bin/kill -s HUP $MAINPID",
        "KillMode=mixed",
        f"TimeoutStopSec={spec.stop_timeout}",
        "PrivateTmp=true",
    ]
    if spec.bind == "unix":
        service += ["RuntimeDirectory=gunicorn", "UMask=0007"]
    return section("Unit", unit) + section("Service", service) + section("Install", ["WantedBy=multi-user.target"])


def gunicorn_socket(_spec):
    return (section("Unit", ["Description=Socket of the site"])
            + section("Socket", ["ListenStream=/run/gunicorn.sock", "SocketUser=www-data", "SocketMode=0660"])
            + section("Install", ["WantedBy=sockets.target"]))


def admin_service(_spec):
    return (section("Unit", ["Description=Gunicorn serving the administration", "After=network.target"])
            + section("Service", ["Type=notify", "User=django", "Group=www-data", f"EnvironmentFile={ENVIRONMENT_FILE}",
                                  "WorkingDirectory=/srv/site/current",
                                  f"ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8001 --workers 1 {APPLICATION}",
                                  "ExecReload=/bin/kill -s HUP $MAINPID", "KillMode=mixed", "TimeoutStopSec=10"])
            + section("Install", ["WantedBy=multi-user.target"]))


def celery_service(_spec):
    return (section("Unit", ["Description=Celery worker of the site", "After=network.target"])
            + section("Service", ["User=django", f"EnvironmentFile={ENVIRONMENT_FILE}",
                                  "WorkingDirectory=/srv/site/current", "ExecStart=/usr/bin/sleep infinity"])
            + section("Install", ["WantedBy=multi-user.target"]))


def metrics_service(spec):
    return (section("Unit", ["Description=Metrics of the site", f"PartOf={spec.unit}", f"After={spec.unit}"])
            + section("Service", ["User=django", "ExecStart=/usr/bin/sleep infinity"])
            + section("Install", ["WantedBy=multi-user.target"]))


def section(name, lines):
    return f"[{name}]\n" + "".join(f"{line}\n" for line in lines) + ("\n" if name != "Install" else "")


def install_gunicorn(tree, spec):
    file = "gunicorn@.service" if spec.template else "gunicorn.service"
    wanted = [(file, gunicorn_service, True, spec.unit, "multi-user.target"),
              ("gunicorn.socket", gunicorn_socket, spec.bind == "socket", "gunicorn.socket", "sockets.target"),
              ("gunicorn-admin.service", admin_service, spec.second, "gunicorn-admin.service", "multi-user.target"),
              ("celery.service", celery_service, spec.celery, "celery.service", "multi-user.target"),
              ("site-metrics.service", metrics_service, spec.partof, "site-metrics.service", "multi-user.target")]
    for name, text, here, unit, target in wanted:
        if here:
            tree.write(f"/etc/systemd/system/{name}", text(spec))
            tree.enable(unit, target)
    if spec.settings == "file":
        tree.write(CONFIG_FILE, config_file(spec))
