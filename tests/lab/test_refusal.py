# SPDX-License-Identifier: Apache-2.0
"""What salve refuses, it refuses before anything is touched: with one clear error that says what to do."""

import pytest

from lab import Spec
from lab.playbooks import HEALTH, RESTART, SERVICE, TIMEOUT, align, gunicorn, playbook, write_playbook
from lab.runs import BUSY, INVALID, KEPT, REFUSED, hide_journal, refusal, run, salve_json, untouched


def guard(kind, **spec):
    return playbook(TIMEOUT, guards={"refuse": {kind: spec}})


# Guards.

def test_without_worker_timeouts_there_is_no_incident_to_cure(shared):
    host = shared(Spec(timeout=3))
    ended = refusal(host, playbook(TIMEOUT, guards={"require": {"worker-timeout": {"since": "1h"}}}))
    assert ended.said("no worker timeout in the last"), ended


def test_after_an_oom_kill_the_memory_comes_first(boot):
    host = boot(Spec(kernel_log=True))
    pid = host.show("gunicorn", "MainPID")
    host.kernel_line(f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
                     f"oom_memcg=/system.slice/gunicorn.service,task_memcg=/system.slice/gunicorn.service,"
                     f"task=gunicorn,pid={pid},uid=999")
    host.kernel_line(f"Memory cgroup out of memory: Killed process {pid} (gunicorn) total-vm:9kB, anon-rss:8kB, "
                     f"file-rss:0kB, shmem-rss:0kB, UID:999 pgtables:9kB oom_score_adj:0")
    host.wait_journal("Killed process", "_TRANSPORT=kernel")
    ended = refusal(host, guard("oom-kill", since="1h"))
    assert ended.said("OOM killer struck") and ended.said("Fix the memory first"), ended


def test_a_gunicorn_that_cannot_boot_is_not_helped_by_settings(boot):
    host = boot()
    host.knob("import-fails")
    host.systemctl("restart", "gunicorn", check=False)
    host.wait_journal("Worker failed to boot")
    host.run("until systemctl is-failed --quiet gunicorn; do :; done", timeout=30)  # its master is gone, too
    ended = refusal(host, guard("boot-failure"))
    assert ended.said("Gunicorn failed to boot"), ended


def test_under_memory_pressure_nothing_is_changed(boot):
    host = boot()
    host.run("sed 's/^MemAvailable: .*/MemAvailable:     100000 kB/' /proc/meminfo >/run/meminfo")
    host.bind_mount("/run/meminfo", "/proc/meminfo")
    ended = refusal(host, guard("memory-pressure"))
    assert ended.said("of the memory is available"), ended


def test_right_after_a_deploy_the_release_is_the_suspect(boot):
    host = boot()
    assert host.get("/stream/?seconds=3").status == 200  # what is there in the first seconds was there at boot
    host.deploy("2")
    host.systemctl("restart", "gunicorn")
    host.wait_site()
    ended = refusal(host, guard("recent-deploy", since="30min"))
    assert ended.said("/srv/site/current"), ended


def test_a_timeout_that_limits_nothing_is_not_raised(shared):
    ended = refusal(shared(Spec(worker="gthread")), guard("timeout-not-enforced"))
    assert ended.said("workers are gthread") and ended.said("nginx-align"), ended


def test_what_cannot_be_told_satisfies_no_guard(boot):
    host = boot()
    hide_journal(host)
    ended = refusal(host, guard("boot-failure"))
    assert ended.said("cannot be told"), ended


def test_a_guard_is_overridden_only_with_a_reason_and_that_is_recorded(boot):
    host = boot(Spec(worker="gthread"))
    text = guard("timeout-not-enforced")
    ended = refusal(host, text, "--override", "timeout-not-enforced", code=INVALID)
    assert ended.said("--override needs --reason"), ended
    ended = run(host, text, "--override", "timeout-not-enforced", "--reason", "heartbeat of slow imports")
    assert ended.code == KEPT, ended
    assert "heartbeat of slow imports" in str(salve_json(host, "show")), "the record does not say why"


# Edits that the running processes never loaded.

PENDING = {
    "configuration file": (Spec(settings="file"), "/etc/site/gunicorn.conf.py", "echo 'backlog = 99' >>{}", None),
    "environment file": (Spec(settings="env"), "/etc/site/gunicorn.env", "echo 'NEW=1' >>{}", None),
    "unit": (Spec(), "/etc/systemd/system/gunicorn.service", "sed -i s/www-data/django/ {}", None),
    "reloaded unit": (Spec(), "/etc/systemd/system/gunicorn.service",
                      "sed -i 's/--workers 3/--workers 4/' {} && systemctl daemon-reload", None),
    "new drop-in": (Spec(), "/etc/systemd/system/gunicorn.service.d/admin.conf",
                    "mkdir -p $(dirname {0}) && printf '[Service]\\nNice=1\\n' >{0}", None),
    "nginx site": (Spec(proxy_read_timeout="3s"), "/etc/nginx/sites-available/site", "echo '# edited' >>{}", align()),
}


@pytest.mark.parametrize("kind", PENDING)
def test_an_edit_that_never_ran_is_not_activated_along(shared, kind):
    spec, path, command, change = PENDING[kind]
    host = shared(spec)
    host.run(command.format(path))
    ended = refusal(host, playbook(change or TIMEOUT))
    assert any(ended.said(name) for name in (path, path.replace("available", "enabled"), "NeedDaemonReload")), ended
    assert ended.said("--accept-pending") or ended.said("take the edit back"), ended


def test_an_edit_that_never_ran_is_activated_where_a_person_accepts_it(boot):
    host = boot(Spec(settings="file"))
    host.run("echo 'backlog = 99' >>/etc/site/gunicorn.conf.py")
    ended = run(host, playbook(TIMEOUT), "--accept-pending")
    assert ended.code == KEPT, ended
    assert ended.said("accepted with --accept-pending"), ended


# Units.

def test_flags_behind_a_wrapper_would_be_swallowed(shared):
    ended = refusal(shared(Spec(wrapper=True)), playbook(TIMEOUT))
    assert ended.said("/bin/sh"), ended


def test_of_several_services_one_must_be_named(shared):
    host = shared(Spec(second=True))
    ended = refusal(host, playbook(gunicorn(unit="auto", timeout="5s")))
    assert ended.said("gunicorn.service") and ended.said("gunicorn-admin.service"), ended


def test_a_host_without_gunicorn_has_nothing_to_change(shared):
    host = shared(Spec(gunicorn=False))
    ended = refusal(host, playbook(gunicorn(unit="auto", timeout="5s")))
    assert ended.said("no service here runs Gunicorn"), ended


@pytest.mark.parametrize("unit, words", [("gunicron.service", "there is no unit gunicron.service"),
                                         ("gunicorn@.service", "template"),
                                         ("nginx.service", "does not run Gunicorn")])
def test_a_unit_that_cannot_be_meant_is_named(shared, unit, words):
    host = shared(Spec(template=True) if "@" in unit else Spec())
    ended = run(host, playbook(gunicorn(unit=unit, timeout="5s"), checks=(HEALTH,)))
    assert ended.code in (INVALID, REFUSED), ended
    assert ended.said(words), ended


def test_another_reader_of_the_file_must_be_named_by_the_playbook(boot):
    host = boot(Spec(celery=True, settings="env"))
    ended = refusal(host, playbook(TIMEOUT))
    assert ended.said("celery.service") and ended.said("also_affects: [celery.service]"), ended
    before = host.show("celery", "InvocationID")
    ended = run(host, playbook(gunicorn(timeout="5s", also_affects=["celery.service"])))
    assert ended.code == KEPT, ended
    assert host.show("celery", "ActiveState") == "active"
    assert before  # the worker's own restart is its owner's to plan


def test_a_unit_that_would_be_pulled_along_must_be_named_by_the_playbook(boot):
    host = boot(Spec(partof=True))
    ended = refusal(host, playbook(TIMEOUT))
    assert ended.said("site-metrics.service") and ended.said("PartOf"), ended
    ended = run(host, playbook(gunicorn(timeout="5s", also_affects=["site-metrics.service"])))
    assert ended.code == KEPT, ended
    assert host.show("site-metrics", "ActiveState") == "active"


def test_a_later_drop_in_of_the_admin_wins_and_that_is_said(boot):
    host = boot()
    host.write("/etc/systemd/system/gunicorn.service.d/zzz-admin.conf",
               "[Service]\nExecStart=\nExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --workers 3 --timeout 2 "
               "project.wsgi:application\n")
    host.run("systemctl daemon-reload && systemctl restart gunicorn")
    host.wait_site()
    ended = refusal(host, playbook(TIMEOUT))
    assert ended.said("zzz-admin.conf"), ended


# The host.

def test_a_held_host_is_left_alone(shared):
    host = shared(Spec(timeout=3))
    host.salve("hold", "--for", "1h", "--reason", "release day", check=True)
    ended = refusal(host, playbook(TIMEOUT), code=BUSY)
    assert ended.said("release day") and ended.said("salve release"), ended
    host.salve("release", check=True)


def test_an_nginx_that_is_already_broken_is_repaired_first(boot):
    host = boot(Spec(proxy_read_timeout="3s"))
    host.run("echo 'nonsense on;' >/etc/nginx/conf.d/broken.conf")
    ended = refusal(host, playbook(align()), "--accept-pending")
    assert ended.said("nonsense") and ended.said("before any change"), ended


def test_nginx_that_is_needed_and_absent_is_said(shared):
    host = shared(Spec(nginx="none", proxy_read_timeout=None))
    change = align()
    change["nginx"]["when_absent"] = "refuse"
    with untouched(host):
        ended = run(host, playbook(TIMEOUT, change, checks=(SERVICE,)))
    assert ended.code == REFUSED, ended
    assert ended.said("nginx"), ended


def test_without_a_terminal_nothing_is_applied_unasked(shared):
    host = shared(Spec(timeout=3))
    host.write("/root/playbooks/test.yaml", playbook(RESTART))
    with untouched(host):
        done = host.salve("run", "/root/playbooks/test.yaml")
    assert done.code == REFUSED and "--yes" in done.stderr, done


def test_the_plan_says_which_guard_would_refuse_the_run(shared):
    host = shared(Spec(worker="gthread"))
    path = write_playbook(host, guard("timeout-not-enforced"))
    plan = host.salve("plan", path, check=True).stdout
    assert "refuses  timeout-not-enforced" in plan and "refused as it stands" in plan, plan
    assert "next: salve run" not in plan, plan
    assert [(item["guard"], item["refuses"]) for item in salve_json(host, "plan", path)["guards"]] == [
        ("timeout-not-enforced", True)]
    agreed = host.salve("plan", write_playbook(host, guard("memory-pressure")), check=True).stdout
    assert "agrees   memory-pressure" in agreed and "next: salve run" in agreed, agreed
