# SPDX-License-Identifier: Apache-2.0
"""Temporary changes: they end by themselves, as runs of their own, or say why they do not."""

import datetime
import time

import pytest

from lab import Spec, diff_state
from lab.playbooks import (RESTART, SERVICE, TIMEOUT, align, gunicorn, http, nginx_timeout, playbook,
                           write_playbook)
from lab.runs import (INVALID, KEPT, REFUSED, ROLLED_BACK, leftovers, restored, run, salve, salve_json,
                      untouched)

BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"
DROP_IN = "/etc/systemd/system/salve-due.timer.d"
DUE = "_SYSTEMD_UNIT=salve-due.service"


CHECKS = (http("health", limit="5s"), SERVICE)  # a machine that is busy with other hosts is no reason


def temporary(host, duration, *changes):
    ended = run(host, playbook(*(changes or (TIMEOUT, align())), checks=CHECKS), "--verify", "once", "--for", duration)
    assert ended.code == KEPT, ended
    return ended


def for_good(host, *changes):
    text = playbook(*changes, checks=CHECKS)
    with untouched(host):
        refused = run(host, text, "--verify", "once")
        assert refused.code == REFUSED and refused.said("--make-permanent"), refused
    ended = run(host, text, "--verify", "once", "--make-permanent")
    assert ended.code == KEPT, ended
    return ended


def let_pass(host, *runs):
    """The time of these runs is over, without waiting for it; nothing wakes salve for that."""
    for ended in runs:
        host.run(["python3", "-c", "import sqlite3, sys, time\n"
                  "with sqlite3.connect('/var/lib/salve/ledger.db') as ledger:\n"
                  "    ledger.execute('UPDATE runs SET until = ? WHERE id = ?', (int(time.time() * 1e6), sys.argv[1]))",
                  ended.id])


def wake(host):
    """What the timer does."""
    host.run("systemctl start salve-due.service", check=False)


def wait_due(host, text, count=1):
    """Wait until the timer has started `salve due`, and that has said so and ended."""
    host.wait_journal(text, DUE, count=count, timeout=60)
    host.run("while systemctl --quiet is-active salve-due.service || "
             "[ $(systemctl show --value -p ActiveState salve-due.service) = activating ] || "
             "[ $(systemctl show --value -p ActiveState salve-due.service) = deactivating ]; do :; done", timeout=60)


def until(host, ended):
    """The time at which a temporary run is to end; the host's clock is this machine's."""
    text = next(item["until"] for item in salve_json(host, "status")["temporary"] if item["run"] == ended.id)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def wait_time(moment):
    """Nothing happens at this time: that is what is looked at."""
    time.sleep(max(0, moment - time.time()) + 1)


def states(host):
    return [(item["run"], item["state"], item["by"]) for item in salve_json(host, "status")["temporary"]]


def origins(host):
    return [entry["trigger"] for entry in salve_json(host, "history")["runs"]]


def test_a_temporary_change_ends_by_itself_as_a_run_of_its_own(boot):
    host = boot(BOTH)
    with restored(host):
        ended = temporary(host, "4s")
        assert "timeout = 5" in host.read(CONFIG)
        assert states(host) == [(ended.id, "running", None)]
        assert f"temporary  run {ended.id}" in host.salve("status", check=True).stdout
        wait_due(host, "has ended")
    assert states(host) == [] and not host.exists(DROP_IN)
    assert origins(host) == [f"end of temporary {ended.id}", "manual"]
    end = salve_json(host, "show")
    assert end["state"] == "kept" and end["user"] == "salve" and "verifying" in str(end["events"])
    host.salve("history", "--verify", check=True)


def test_one_that_was_due_while_the_host_was_off_ends_after_the_boot(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "4s")
    moment = until(host, ended)
    host.container.cut_power()
    wait_time(moment)
    host.container.boot()
    wait_due(host, "has ended")
    host.wait_site()
    assert diff_state(before, host.snapshot_state()) == [] and leftovers(host) == []
    assert states(host) == []


def test_one_that_is_running_when_the_power_goes_ends_at_its_time(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "20s")
    moment = until(host, ended)
    host.power_cut()
    wait_due(host, "has ended")
    assert time.time() >= moment
    assert diff_state(before, host.snapshot_state()) == []


def test_a_later_run_for_good_supersedes_it_and_the_plan_says_so(boot):
    host = boot(BOTH)
    ended = temporary(host, "1h")
    text = playbook(gunicorn(timeout="8s"), checks=CHECKS)
    plan = host.salve("plan", write_playbook(host, text), check=True).stdout
    assert f"temporary change {ended.id}" in plan and "does not end by itself any more" in plan, plan
    waiting = host.salve("plan", write_playbook(host, text), "--for", "90m", check=True).stdout
    assert "Temporary: undone by itself 1h 30min" in waiting and "it waits for the end of this" in waiting, waiting
    assert "--for 90min" in waiting, waiting
    later = for_good(host, gunicorn(timeout="8s"))
    assert states(host) == [(ended.id, "superseded", later.id)] and not host.exists(DROP_IN)
    kept = host.snapshot_state()
    let_pass(host, ended)
    wake(host)
    assert diff_state(kept, host.snapshot_state()) == []
    assert "for good, so it stays" in host.salve("status", check=True).stdout


def test_what_took_back_the_run_that_superseded_it_lets_it_end(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "1h")
    for_good(host, gunicorn(timeout="8s"))
    let_pass(host, ended)
    back = salve(host, "rollback", "--yes", "--verify", "once")
    assert back.code == KEPT, back
    wait_due(host, "has ended")
    assert diff_state(before, host.snapshot_state()) == []


def test_nested_ones_end_from_the_inside_out(boot):
    host = boot(BOTH)
    with restored(host):
        outer = temporary(host, "1h", TIMEOUT)
        inner = temporary(host, "1h", gunicorn(timeout="8s"))
        let_pass(host, outer)
        wake(host)
        assert states(host) == [(inner.id, "running", None), (outer.id, "waiting", inner.id)]
        let_pass(host, inner)
        wake(host)
        assert states(host) == []
    assert origins(host)[:2] == [f"end of temporary {outer.id}", f"end of temporary {inner.id}"]


def test_an_end_whose_checks_fail_is_loud_and_not_tried_again(boot):
    host = boot(BOTH)
    ended = temporary(host, "1h", TIMEOUT)
    let_pass(host, ended)
    host.knob("only-if", "timeout 2")
    host.knob("health-500")
    changed = host.snapshot_state()
    wake(host)
    assert "could NOT be ended" in host.journal("salve-due.service")
    assert [line for line in diff_state(changed, host.snapshot_state()) if DROP_IN not in line] == []
    (item,) = states(host)
    assert item[:2] == (ended.id, "given-up")
    assert "did NOT end" in host.salve("status", check=True).stdout
    assert host.show("salve-due.service", "Result") == "exit-code"
    assert not host.exists(DROP_IN), "nothing is tried again by itself"
    host.knob("health-500", None)
    by_hand = salve(host, "rollback", "--yes", "--force", "--verify", "once", ended.id)
    assert by_hand.code == KEPT and states(host) == [], by_hand


def test_a_rollback_by_hand_ends_it_early(boot):
    host = boot(BOTH)
    with restored(host):
        ended = temporary(host, "1h")
        assert host.exists(f"{DROP_IN}/due.conf")
        back = salve(host, "rollback", "--yes", "--verify", "once", ended.id)
        assert back.code == KEPT, back
    assert states(host) == [] and not host.exists(DROP_IN)


def test_on_a_held_host_it_ends_after_the_hold(boot):
    host = boot(BOTH)
    with restored(host):
        ended = temporary(host, "1h")
        let_pass(host, ended)
        host.salve("hold", "--reason", "freeze", check=True)
        wake(host)
        journal = host.journal("salve-due.service")
        assert "cannot be ended now" in journal and "freeze" in journal, journal
        assert states(host) == [(ended.id, "due", None)]
        assert host.exists(f"{DROP_IN}/due.conf"), "it is tried again"
        host.salve("release", check=True)
        wake(host)
    assert states(host) == []


def test_while_another_run_has_the_lock_it_waits(boot):
    host = boot(BOTH)
    with restored(host):
        ended = temporary(host, "1h")
        let_pass(host, ended)
        host.salve("lock", "--", "systemctl", "start", "salve-due.service", check=True)
        assert "cannot be ended now" in host.journal("salve-due.service")
        assert states(host) == [(ended.id, "due", None)] and host.exists(f"{DROP_IN}/due.conf")
        wake(host)
    assert states(host) == []


def test_a_death_in_the_middle_of_an_end_is_made_good(boot):
    host = boot(BOTH)
    ended = temporary(host, "1h")
    let_pass(host, ended)
    changed = host.snapshot_state()
    host.run("systemctl start --no-block salve-due.service")
    host.wait_journal("activating", DUE, timeout=60)
    host.run("systemctl kill --kill-whom=main --signal=KILL salve-due.service")
    wait_due(host, "rolled-back:")
    (item,) = states(host)
    assert item[:2] == (ended.id, "due"), item
    assert [line for line in diff_state(changed, host.snapshot_state()) if DROP_IN not in line] == []
    assert host.exists(f"{DROP_IN}/due.conf"), "it is tried again"
    assert host.show("salve-due.timer", "NextElapseUSecRealtime") != ""


def test_a_death_around_the_promise_leaves_no_change_without_an_end(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    text = playbook(nginx_timeout("7s"), settle="100ms")
    words = ("--verify", "once", "--for", "1h")
    for environment in ({}, {"SALVE_FAULT": "count:/root/points"}):
        assert run(host, text, *words, environment=environment).code == KEPT
        assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    points = host.read("/root/points").splitlines()
    first = next(number for number, line in enumerate(points, 1) if "due.conf" in line)
    assert first + 3 < len(points), points
    ends = []
    for number in range(first, len(points) + 1):
        run(host, text, *words, environment={"SALVE_FAULT": f"{number}:kill"})
        host.salve("recover", check=True)
        ends.append(salve_json(host, "history")["runs"][0]["state"])
        if ends[-1] == "kept":
            assert [state for _, state, _ in states(host)] == ["running"] and host.exists(f"{DROP_IN}/due.conf")
            assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
        wake(host)
        assert states(host) == [] and diff_state(before, host.snapshot_state()) == [], (number, ends)
        assert not host.exists(DROP_IN) and leftovers(host) == []
    assert sorted(set(ends)) == ["kept", "rolled-back"], ends


def test_a_timer_that_cannot_be_set_rolls_the_change_back(boot):
    host = boot(BOTH)
    host.run(f"echo x >{DROP_IN}")
    with restored(host):
        ended = run(host, playbook(TIMEOUT), "--verify", "once", "--for", "1h")
    assert ended.code == ROLLED_BACK and ended.said("the timer of temporary changes"), ended


def test_a_ledger_that_was_lost_still_ends_it(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "25s")
    host.run("echo damaged >/var/lib/salve/ledger.db && rm -f /var/lib/salve/ledger.db-*")
    assert host.salve("recover").code == KEPT
    assert states(host) == [(ended.id, "running", None)]
    wait_due(host, "has ended")
    assert diff_state(before, host.snapshot_state()) == []


@pytest.mark.parametrize("damage", [
    "echo damaged >/var/lib/salve/ledger.db && rm -f /var/lib/salve/ledger.db-*",
    "rm -f /var/lib/salve/ledger.db*",
])
def test_a_ledger_that_was_lost_is_put_right_by_the_timer_alone(boot, damage):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "10s")
    host.run(damage)
    wait_due(host, "has ended")
    assert diff_state(before, host.snapshot_state()) == []
    assert states(host) == [] and not host.exists(DROP_IN)
    assert origins(host)[0] == f"end of temporary {ended.id}"


def test_files_that_somebody_put_back_already_need_no_end_but_get_a_record(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "1h", TIMEOUT)
    let_pass(host, ended)
    host.run(f"sed -i 's/timeout = 5/timeout = 2/' {CONFIG}")
    wake(host)
    assert states(host) == [] and origins(host)[0] == f"end of temporary {ended.id}"
    assert diff_state(before, host.snapshot_state()) == []


def test_a_file_that_somebody_changed_meanwhile_is_left_to_a_person(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    ended = temporary(host, "1h", TIMEOUT)
    host.run(f"echo '# by hand' >>{CONFIG} && systemctl restart gunicorn")
    let_pass(host, ended)
    for _ in range(2):
        wake(host)
    assert "# by hand" in host.read(CONFIG)
    (item,) = states(host)
    assert item[:2] == (ended.id, "given-up")
    assert len(origins(host)) == 2, "nothing is tried again by itself"
    assert f"{CONFIG} was changed since" in host.journal("salve-due.service")
    status = host.salve("status", check=True).stdout
    assert f"{CONFIG} was changed since" in status and f"salve rollback --force {ended.id}" in status, status
    by_hand = salve(host, "rollback", "--yes", "--force", "--verify", "once", ended.id)
    assert by_hand.code == KEPT and states(host) == [], by_hand
    assert diff_state(before, host.snapshot_state()) == []


def test_what_cannot_end_is_not_begun(shared):
    host = shared()
    with untouched(host):
        refused = run(host, playbook(RESTART), "--for", "1h")
        assert refused.code == REFUSED and refused.said("changes no file"), refused
        assert run(host, playbook(TIMEOUT), "--for", "never").code == INVALID
        host.run("systemctl mask --runtime --now salve-due.timer")
        try:
            refused = run(host, playbook(TIMEOUT), "--for", "1h")
        finally:
            host.run("systemctl unmask --runtime salve-due.timer && systemctl start salve-due.timer")
        assert refused.code == REFUSED and refused.said("salve-due.timer"), refused


def test_a_temporary_change_is_refused_where_the_timer_would_not_know_of_it(shared):
    host = shared()
    host.write("/root/salve.yaml", "state: /root/state\n")
    for words in (("--state", "/root/state"), ("--config", "/root/salve.yaml")):
        with untouched(host):
            ended = run(host, playbook(TIMEOUT), "--for", "1h", *words)
        assert ended.code == INVALID and ended.said("the timer that ends temporary changes"), ended
    host.run("rm -rf /root/salve.yaml")
