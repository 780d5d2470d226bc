# SPDX-License-Identifier: Apache-2.0
"""A change that helps is kept: it has effect in the running processes, wherever the host keeps its settings."""

import pytest

from lab import Spec, diff_state
from lab.playbooks import (HEALTH, RESTART, SERVICE, TIMEOUT, UPSTREAM_FAILURES, WORKER_TIMEOUTS, align, gunicorn, http,
                           playbook)
from lab.runs import KEPT, invocations, leftovers, master_argv, run, salve_json, untouched

REPORT = "/reports/?seconds=3.5"  # longer than the lab's timeout of 2 s allows, and its workers take to notice
CURE = playbook(TIMEOUT, align(), checks=(HEALTH, SERVICE, UPSTREAM_FAILURES, WORKER_TIMEOUTS), window="3s")


def changed_files(before, after):
    return {line.split(": ")[0] for line in diff_state(before, after)}


def cured(host, text=CURE):
    """Runs the cure; returns the run and the paths that changed."""
    assert host.get(REPORT).status == 502
    host.wait_journal("WORKER TIMEOUT", f"_SYSTEMD_UNIT={host.unit}")
    before = host.snapshot_state()
    ended = run(host, text)
    assert ended.code == KEPT, ended
    assert ended.record["state"] == "kept"
    assert leftovers(host) == []
    assert host.get(REPORT).status == 200
    return ended, changed_files(before, host.snapshot_state())


def test_the_shipped_playbook_cures_the_incident(boot):
    host = boot()
    assert host.get("/reports/").status == 502
    before = host.snapshot_state()
    ended = run(host, "gunicorn-timeout", "-e", "timeout=6s", "-e", "endpoint=http://127.0.0.1/reports/")
    assert ended.code == KEPT, ended
    assert set(ended.verdicts().values()) == {"pass"}
    assert ended.states() == ["planned", "baselining", "snapshotted", "staged", "applying", "activating", "verifying",
                              "kept"]
    assert host.get("/reports/").status == 200
    assert "--timeout 6 " in master_argv(host)
    assert all(path.startswith("/etc/systemd/system/gunicorn.service")
               for path in changed_files(before, host.snapshot_state()))
    assert host.show("gunicorn", "TimeoutStopUSec") == "10s"


def test_a_timeout_in_the_command_line_is_changed_in_a_drop_in(boot):
    host = boot()
    workers = invocations(host)["nginx workers"]
    _, changed = cured(host)
    assert "--timeout 5 " in master_argv(host)
    assert changed and all(path.startswith("/etc/systemd/system/gunicorn.service.d") for path in changed)
    assert invocations(host)["nginx workers"] == workers, "nginx was affected, though none of its files changed"


def test_a_timeout_in_the_configuration_file_is_changed_there(boot):
    host = boot(Spec(settings="file"))
    before = host.read("/etc/site/gunicorn.conf.py")
    _, changed = cured(host)
    assert changed == {"/etc/site/gunicorn.conf.py"}
    assert host.read("/etc/site/gunicorn.conf.py") == before.replace("timeout = 2\n", "timeout = 5\n", 1)


def test_a_timeout_in_gunicorn_cmd_args_is_changed_in_the_environment_file(boot):
    host = boot(Spec(settings="env"))
    before = host.read("/etc/site/gunicorn.env")
    ended, changed = cured(host)
    assert changed == {"/etc/site/gunicorn.env"}
    assert host.read("/etc/site/gunicorn.env") == before.replace("--timeout 2 ", "--timeout 5 ")
    assert host.run("stat -c '%U %G %a' /etc/site/gunicorn.env").stdout.split() == ["root", "django", "640"]
    assert not ended.said("lab-secret-key") and not ended.said("lab-database-password")


def test_workers_in_web_concurrency_are_changed_there(boot):
    host = boot(Spec(settings="web-concurrency"))
    before = host.snapshot_state()
    ended = run(host, playbook(gunicorn(workers=2)))
    assert ended.code == KEPT, ended
    assert changed_files(before, host.snapshot_state()) == {"/etc/site/gunicorn.env"}
    assert "WEB_CONCURRENCY=2\n" in host.read("/etc/site/gunicorn.env")
    assert len(host.run(["pgrep", "--parent", host.show("gunicorn", "MainPID")]).stdout.split()) == 2


def test_the_shipped_workers_playbook_sets_workers(boot):
    host = boot(Spec(workers=1))
    ended = run(host, "gunicorn-workers", "-e", "workers=2", "--verify", "once")
    assert ended.code == KEPT, ended
    assert "--workers 2 " in master_argv(host)


@pytest.mark.parametrize("spec", [Spec(bind="socket"), Spec(bind="unix", nginx="direct"), Spec(nginx="sites")],
                         ids=["socket unit", "unix socket", "several sites"])
def test_the_cure_works_however_nginx_reaches_gunicorn(boot, spec):
    host = boot(spec)
    cured(host)
    assert "--timeout 5 " in master_argv(host)


def test_a_socket_unit_keeps_accepting_while_gunicorn_restarts(boot):
    host = boot(Spec(bind="socket"))
    socket = host.show("gunicorn.socket", "InvocationID")
    ended = run(host, playbook(TIMEOUT))
    assert ended.code == KEPT, ended
    assert host.show("gunicorn.socket", "InvocationID") == socket
    assert not host.run("grep -c 'Connection refused' /var/log/nginx/error.log", check=False).stdout.strip("0\n")


def test_nginx_is_kept_in_line_and_only_reloaded(boot):
    host = boot(Spec(proxy_read_timeout="3s"))
    master = host.show("nginx", "MainPID")
    site = host.read("/etc/nginx/sites-available/site")
    ended = run(host, playbook(TIMEOUT, align("5s")))
    assert ended.code == KEPT, ended
    assert host.read("/etc/nginx/sites-available/site") == site.replace("proxy_read_timeout 3s;",
                                                                        "proxy_read_timeout 10s;")
    assert host.run("readlink /etc/nginx/sites-enabled/site").stdout == "/etc/nginx/sites-available/site\n"
    assert host.show("nginx", "MainPID") == master, "nginx was restarted"
    assert host.get("/reports/?seconds=3.5").status == 200


def test_the_shipped_align_playbook_only_reloads_nginx(boot):
    host = boot(Spec(worker="gthread", proxy_read_timeout="3s", timeout=5))
    gunicorn_before = host.show("gunicorn", "InvocationID")
    assert host.get(REPORT).status == 504
    ended = run(host, "nginx-align", "--verify", "once")
    assert ended.code == KEPT, ended
    assert host.show("gunicorn", "InvocationID") == gunicorn_before
    assert host.get(REPORT).status == 200


def test_a_restart_changes_no_file_and_is_a_run_like_any_other(boot):
    host = boot()
    assert host.get("/reports/").status == 502
    host.wait_journal("WORKER TIMEOUT", f"_SYSTEMD_UNIT={host.unit}")
    before, invocation = host.snapshot_state(), host.show("gunicorn", "InvocationID")
    ended = run(host, "restart-stuck", "--verify", "once")
    assert ended.code == KEPT, ended
    assert host.show("gunicorn", "InvocationID") != invocation
    assert diff_state(before, host.snapshot_state()) == []


def test_what_is_already_there_is_not_done_again(boot):
    host = boot()
    assert run(host, playbook(TIMEOUT)).code == KEPT
    with untouched(host):
        ended = run(host, playbook(TIMEOUT))
    assert ended.code == KEPT, ended
    assert ended.said("nothing_to_do"), ended
    assert len(salve_json(host, "history")["runs"]) == 1


def test_at_least_never_lowers(boot):
    host = boot(Spec(timeout=9))
    with untouched(host):
        ended = run(host, playbook(gunicorn("at_least", timeout="5s")))
    assert ended.code == KEPT and ended.said("nothing_to_do"), ended


def test_a_coupled_setting_is_carried_along(boot):
    host = boot()
    ended = run(host, playbook(gunicorn(graceful_timeout="20s")))
    assert ended.code == KEPT, ended
    assert "--graceful-timeout 20 " in master_argv(host)
    stop = host.show("gunicorn", "TimeoutStopUSec")
    assert stop not in ("10s", "20s"), f"TimeoutStopSec={stop} kills workers that still have time"


def test_a_host_without_nginx_is_cured_too(boot):
    host = boot(Spec(nginx="none"))
    host.run("rm -r /etc/nginx")
    checks = (http("health", "") | {}, SERVICE)
    checks[0]["http"]["url"] = "http://127.0.0.1:8000/health/"
    ended = run(host, playbook(TIMEOUT, align(), checks=checks))
    assert ended.code == KEPT, ended
    assert "--timeout 5 " in master_argv(host)


def test_a_template_instance_is_changed_as_the_instance_only(boot):
    host = boot(Spec(template=True))
    before = host.snapshot_state()
    service = {"unit": {"name": host.unit, "workers": "all"}}
    ended = run(host, playbook(gunicorn(unit=host.unit, timeout="5s"), checks=(HEALTH, service)))
    assert ended.code == KEPT, ended
    assert "--timeout 5 " in master_argv(host)
    assert all(path.startswith("/etc/systemd/system/gunicorn@site.service.d")
               for path in changed_files(before, host.snapshot_state()))


def test_the_restart_of_a_service_that_was_dead_is_kept_when_it_serves_again(boot):
    host = boot()
    host.systemctl("stop", "gunicorn")
    ended = run(host, playbook(RESTART))
    assert ended.code == KEPT, ended
    assert host.get("/health/").status == 200
