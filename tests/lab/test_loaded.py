# SPDX-License-Identifier: Apache-2.0
"""Whether the processes run what the files say: told where it is so, where it is not, and where it cannot be told."""

import pytest

from lab import Spec
from lab.playbooks import TIMEOUT, align, gunicorn, nginx_timeout, playbook
from lab.runs import KEPT, REFUSED, refusal, run, salve_json

CONF = "/etc/site/gunicorn.conf.py"
SITE = "/etc/nginx/sites-available/site"
OVERRIDE = """[Service]
ExecStart=
ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --workers 3 --timeout 45 --graceful-timeout 2 project.wsgi:application
"""
LONGER = playbook(gunicorn("at_least", timeout="6s"), align())


def finding(host, name="pending-edit"):
    return next(each for each in salve_json(host, "diagnose")["findings"] if each["finding"] == name)


def set_timeout(host, seconds):
    host.run(f"sed -i 's/^timeout = .*/timeout = {seconds}/' {CONF}")


def hang_up(host, how):
    hups = host.journal("gunicorn").count("Hang up: Master")
    host.run(how)
    host.wait_journal("Hang up: Master", "-u", "gunicorn", count=hups + 1)
    host.wait_site()


@pytest.mark.parametrize("reload", [False, True])
def test_a_drop_in_that_no_process_runs_is_not_nothing_to_do(boot, reload):
    host = boot()
    host.run("mkdir -p /etc/systemd/system/gunicorn.service.d")
    host.write("/etc/systemd/system/gunicorn.service.d/override.conf", OVERRIDE)
    if reload:
        host.systemctl("daemon-reload")
    ended = refusal(host, LONGER)
    assert ended.said("where the process runs with"), ended
    assert ended.said("systemctl restart gunicorn.service"), ended
    ended = refusal(host, LONGER, "--accept-pending")
    assert ended.said("nothing would activate it"), ended
    found = finding(host)
    assert found["state"] == "present" and "45" in found["summary"], found


def test_a_timeout_that_is_not_loaded_makes_no_boot_failure(boot):
    host = boot()
    host.run("mkdir -p /etc/systemd/system/gunicorn.service.d")
    host.write("/etc/systemd/system/gunicorn.service.d/override.conf", OVERRIDE)
    host.systemctl("daemon-reload")
    for _ in range(3):
        assert host.get("/reports/").status == 502
    assert finding(host, "worker-timeout")["state"] == "present"
    assert finding(host, "boot-failure")["state"] == "absent"


@pytest.mark.parametrize("how", ["systemctl reload gunicorn", "kill -s HUP $(systemctl show -p MainPID --value gunicorn)"])
def test_what_a_hup_read_again_is_loaded(boot, how):
    host = boot(Spec(settings="file"))
    set_timeout(host, 20)
    assert finding(host)["state"] == "present"
    hang_up(host, how)
    assert host.get("/reports/").status == 200, "the new timeout is not in use"
    assert finding(host)["state"] == "absent", finding(host)
    ended = run(host, playbook(gunicorn(workers=4)))
    assert ended.code == KEPT, ended


def test_a_hup_before_the_last_change_has_not_loaded_it(boot):
    host = boot(Spec(settings="file"))
    set_timeout(host, 20)
    hang_up(host, "systemctl reload gunicorn")
    set_timeout(host, 21)
    ended = refusal(host, playbook(gunicorn(workers=4)))
    assert ended.said("never loaded") and ended.said(CONF), ended


def test_what_a_hup_does_not_take_over_is_not_called_loaded(boot):
    host = boot(Spec(settings="file"))
    host.run(f"echo 'backlog = 99' >>{CONF}")
    hang_up(host, "systemctl reload gunicorn")
    assert "99" not in host.run("ss -Hltn 'sport = :8000'").stdout.split(), "this Gunicorn takes it over"
    ended = refusal(host, playbook(gunicorn(workers=4)))
    assert ended.said("may not have loaded") and ended.said("backlog"), ended


def test_workers_that_died_do_not_make_an_edit_loaded(boot):
    host = boot(Spec(settings="file"))
    set_timeout(host, 20)
    host.run("pkill -KILL -P $(systemctl show -p MainPID --value gunicorn)")
    host.wait_journal("Booting worker", "-u", "gunicorn", count=6)
    ended = refusal(host, playbook(gunicorn(workers=4)))
    assert ended.said("may not have loaded"), ended
    assert finding(host)["state"] == "unknown"


def test_what_set_property_set_is_loaded(boot):
    host = boot()
    host.systemctl("set-property", "gunicorn.service", "MemoryMax=700M")
    host.systemctl("set-property", "--runtime", "gunicorn.service", "CPUWeight=50")
    assert host.show("gunicorn", "NeedDaemonReload") == "yes", "systemd has learnt to sort"
    assert finding(host)["state"] == "absent", finding(host)
    ended = run(host, playbook(TIMEOUT))
    assert ended.code == KEPT, ended


def test_a_reload_that_nginx_refused_is_a_finding_with_its_reason(boot):
    host = boot(Spec(proxy_read_timeout="3s"))
    host.run(f"sed -i 's/proxy_read_timeout .*/proxy_read_timeout 9s;/' {SITE}")
    host.run(f"echo 'server {{ listen 192.0.2.1:81; }}' >>{SITE}")
    host.systemctl("reload", "nginx", check=False)
    host.run("until grep -q 'bind() to 192.0.2.1' /var/log/nginx/error.log; do :; done", timeout=20)
    found = finding(host)
    assert found["state"] == "present" and found["subject"] == "nginx.service", found
    assert "bind() to 192.0.2.1" in found["summary"], found
    ended = run(host, playbook(nginx_timeout("9s")))
    assert ended.code == REFUSED and ended.said("bind() to 192.0.2.1"), ended
