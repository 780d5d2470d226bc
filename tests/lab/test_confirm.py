# SPDX-License-Identifier: Apache-2.0
"""A run that asks for a confirmation is kept when somebody confirms it, and in no other way."""

import json
import subprocess

from lab import Spec
from lab.machine import command
from lab.playbooks import TIMEOUT, align, http, playbook, write_playbook
from lab.runs import (BUSY, KEPT, REFUSED, ROLLED_BACK, leftovers, master_argv, restored, run, salve_json, settle,
                      start)

BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"
CHECKS = (http("health", limit="10s"),)
CHANGE = playbook(TIMEOUT, align(), checks=CHECKS)
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
    with restored(host), start(host, playbook(TIMEOUT, align(), checks=CHECKS, window="60s"), "--confirm", LONG) as carried:
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
        while carried.next_event(event="wait", subject="confirmation").get("duration_usec", 0) < 6_000_000:
            pass
        host.salve("confirm", check=True)
        assert carried.end().code == KEPT


def test_an_extension_never_shortens_the_time(boot):
    host = boot(BOTH)
    with restored(host), waiting(host, LONG) as carried:
        shorter = host.salve("confirm", "--extend", "1s", check=True)
        assert "already" in shorter.stdout and "nothing was changed" in shorter.stdout, shorter
        while carried.next_event(event="wait", subject="confirmation").get("duration_usec", 0) < 3_000_000:
            pass
        cancelled = host.salve("cancel", check=True)
        assert "cancelled" in cancelled.stdout, cancelled
        assert carried.end().code == ROLLED_BACK


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


# The clock and the wire.

CLOCK = "/run/clock"
OWN_CLOCK = f"""[Service]
Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
Environment=FAKETIME_TIMESTAMP_FILE={CLOCK} FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
"""


def with_own_clock(host):
    """Runs of this host see a time of day that the file CLOCK steps, and no other clock of theirs is touched."""
    host.write(CLOCK, "+0\n")
    host.write("/run/systemd/system/salve-run-.service.d/clock.conf", OWN_CLOCK)
    host.systemctl("daemon-reload")


def test_the_time_stepped_forward_by_a_day_does_not_end_the_wait(boot):
    host = boot(BOTH)
    with_own_clock(host)
    with waiting(host, LONG) as carried:
        before = carried.next_event(event="wait", subject="confirmation")
        host.write(CLOCK, "+1d\n")
        while (after := carried.next_event(event="wait", subject="confirmation"))["time"][:10] == before["time"][:10]:
            pass
        assert after.get("duration_usec", 0) < 60_000_000, "the wait counts on the clock that was stepped"
        host.salve("confirm", check=True)
        assert carried.end().code == KEPT


def test_the_time_stepped_back_by_a_day_does_not_prolong_the_wait(shared):
    host = shared(BOTH)
    with_own_clock(host)
    with restored(host), waiting(host, "3s") as carried:
        host.write(CLOCK, "-1d\n")
        ended = carried.end()
    assert ended.code == ROLLED_BACK and "not confirmed within 3s" in ended.reason, ended


def test_an_operator_whose_connection_is_cut_is_not_locked_out(boot, tmp_path):
    host = boot(BOTH)
    key = tmp_path / "key"
    command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    host.write("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text(), mode=0o600)
    path = write_playbook(host, CHANGE)
    with restored(host):
        ssh = subprocess.Popen(["ssh", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                                f"root@{host.address}", f"salve --json run --yes --confirm 4s {path}"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert any('"confirming"' in line for line in ssh.stdout), "the run did not come to wait"
            command("ip", "-n", host.container.machine, "link", "set", "eth0", "down")
            settle(host)
            record = salve_json(host, "show")
        finally:
            ssh.kill()
            ssh.wait()
            ssh.stdout.close()
            command("ip", "-n", host.container.machine, "link", "set", "eth0", "up")
    assert record["state"] == "rolled-back" and "not confirmed" in record["reason"], record
