# SPDX-License-Identifier: Apache-2.0
"""A run that asks for a confirmation is kept when somebody confirms it, and in no other way."""

import json

from lab import Spec
from lab.playbooks import TIMEOUT, align, playbook
from lab.runs import (BUSY, KEPT, REFUSED, ROLLED_BACK, leftovers, master_argv, restored, run, salve_json, settle,
                      start)

BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"
CHANGE = playbook(TIMEOUT, align())
LONG = "10min"


def waiting(host, time, **options):
    """A run that has come to wait for its confirmation."""
    carried = start(host, CHANGE, "--confirm", time, **options)
    carried.__enter__()
    carried.wait_event(event="note", text="waits for a confirmation until")
    return carried


def is_new(host):
    return "timeout = 5" in host.read(CONFIG)


def test_a_confirmed_run_is_kept(boot):
    host = boot(BOTH)
    with waiting(host, LONG) as carried:
        assert is_new(host)
        assert "salve confirm" in host.salve("status").stdout
        confirmed = host.salve("confirm", check=True)
        assert "kept" in confirmed.stdout, confirmed
        assert carried.end().code == KEPT
    assert is_new(host) and leftovers(host) == []
    late = host.salve("confirm")
    assert late.code == REFUSED and "no run waits" in late.stderr, late


def test_a_run_that_nobody_confirms_is_put_back(shared):
    host = shared(BOTH)
    with restored(host), waiting(host, "2s") as carried:
        ended = carried.end()
    assert ended.code == ROLLED_BACK and "not confirmed within 2s" in ended.reason, ended


def test_a_cancelled_run_is_put_back_at_once(shared):
    host = shared(BOTH)
    with restored(host), waiting(host, LONG) as carried:
        cancelled = host.salve("cancel", "--json", check=True)
        assert json.loads(cancelled.stdout)["state"] == "rolled-back", cancelled
        assert carried.end().code == ROLLED_BACK


def test_a_run_in_its_window_can_be_cancelled_too(shared):
    host = shared(BOTH)
    with restored(host), start(host, playbook(TIMEOUT, align(), window="60s"), "--confirm", LONG) as carried:
        carried.wait_event(event="state", state="verifying")
        assert host.salve("confirm").code == REFUSED, "it does not wait yet"
        cancelled = host.salve("cancel", check=True)
        assert "rolled-back" in cancelled.stdout, cancelled
        assert carried.end().code == ROLLED_BACK
    assert host.salve("cancel").code == REFUSED


def test_asking_again_extends_the_time(boot):
    host = boot(BOTH)
    with waiting(host, "4s") as carried:
        extended = host.salve("confirm", "--extend", LONG, check=True)
        assert "confirming" in extended.stdout, extended
        while int(carried.next_event(event="wait", subject="confirmation")["duration_usec"]) < 6_000_000:
            pass
        host.salve("confirm", check=True)
        assert carried.end().code == KEPT


def test_another_run_than_the_one_that_waits_is_not_confirmed(shared):
    host = shared(BOTH)
    with restored(host), waiting(host, LONG) as carried:
        for verb in ("confirm", "cancel"):
            wrong = host.salve(verb, "20200101T000000-00000000")
            assert wrong.code == REFUSED and "not 20200101T000000" in wrong.stderr, wrong
        second = run(host, CHANGE, "--confirm", LONG)
        assert second.code == BUSY, second
        host.salve("cancel", salve_json(host, "status")["hot"]["run"][:12], check=True)
        assert carried.end().code == ROLLED_BACK


def test_a_confirmation_comes_too_late_for_a_file_that_somebody_else_changed(shared):
    host = shared(BOTH)
    with waiting(host, LONG) as carried:
        text = host.read(CONFIG)
        host.write(CONFIG, text + "# by hand\n")
        assert host.salve("confirm").code == ROLLED_BACK
        ended = carried.end()
    assert ended.code == ROLLED_BACK and CONFIG in ended.reason, ended


def test_a_waiting_run_whose_process_is_killed_is_put_back(shared):
    host = shared(BOTH)
    with restored(host), waiting(host, LONG) as carried:
        carried.signal("KILL")
        assert carried.end().code == ROLLED_BACK
    record = salve_json(host, "show")
    assert record["state"] == "rolled-back" and "waited for its confirmation" in record["reason"], record


def test_a_waiting_run_does_not_survive_a_reboot(boot):
    host = boot(BOTH)
    before = host.read(CONFIG)
    with waiting(host, LONG):
        host.power_cut()
    host.wait_site()
    settle(host)
    record = salve_json(host, "show")
    assert record["state"] == "rolled-back" and "rebooted" in record["reason"], record
    assert host.read(CONFIG) == before and "--timeout 5" not in master_argv(host)
    assert leftovers(host) == []
