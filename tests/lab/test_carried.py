# SPDX-License-Identifier: Apache-2.0
"""systemd carries a run: what happens to the terminal that asked for it does not matter, and a carrier that dies is
followed by a recovery that nobody has to start."""

import os
import subprocess

import pytest

from lab import Spec
from lab.machine import LabError, wait_readable
from lab.playbooks import TIMEOUT, align, playbook, write_playbook
from lab.runs import (BUSY, EVENT_SECONDS, FAILED, KEPT, REFUSED, ROLLED_BACK, Carried, leftovers, master_argv, restored, run, salve,
                      salve_json, start, untouched)

LONG = playbook(TIMEOUT, align(), window="60s")
SHORT = playbook(TIMEOUT, align())
CONFIG = "/etc/site/gunicorn.conf.py"
BOTH = Spec(settings="file", proxy_read_timeout="3s")


def follow(host, *words):
    """A second terminal."""
    process = host.start(["salve", "--json", "show", "--follow", *words], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return Carried(host, process)


def front_end(host):
    """The process that follows the run, by its command line."""
    return host.run(["pgrep", "--oldest", "--full", "^salve --json run"]).stdout.strip()


def last_state(host):
    return salve_json(host, "history")["runs"][0]["state"]


# The terminal.

def test_a_front_end_that_is_interrupted_leaves_the_run_alone(boot):
    for name in ("INT", "TERM", "HUP", "KILL"):
        host = boot(BOTH)
        with start(host, playbook(TIMEOUT, align(), window="3s")) as carried:
            carried.wait_event(event="state", state="verifying")
            host.run(["kill", "-s", name, front_end(host)])
            left = carried.end()
        with follow(host) as again:
            ended = again.end()
        assert ended.code == KEPT, ended
        assert ended.states()[0] == "planned", "who comes late sees the whole run"
        assert left.code == {"KILL": -9}.get(name, FAILED), left
        assert ("salve show" in left.stderr and "salve cancel" in left.stderr) == (name in ("INT", "TERM")), left
        host.remove()


def test_a_second_terminal_sees_the_same_run(shared):
    host = shared(BOTH)
    with restored(host), start(host, LONG) as first:
        first.wait_event(event="state", state="verifying")
        with follow(host) as second:
            second.wait_event(event="state", state="verifying")
            first.signal("INT")
            one, two = first.end(), second.end()
    assert one.code == two.code == ROLLED_BACK
    assert one.states() == two.states()
    assert one.record == two.record


def test_a_run_with_a_state_of_its_own_is_recovered_when_its_carrier_dies(shared):
    host = shared(BOTH)
    state = "/run/state-of-its-own"
    with restored(host), start(host, LONG, "--state", state) as carried:
        carried.wait_event(event="state", state="verifying")
        host.run("systemctl kill --kill-whom=main --signal=KILL 'salve-run-*.service'")
        ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
    assert host.salve("status", "--state", state, check=True).stdout.startswith("idle")


def test_a_run_that_ended_can_still_be_followed(shared):
    host = shared(BOTH)
    with restored(host):
        ended = run(host, SHORT)
        assert ended.code == KEPT
        with follow(host, ended.id) as late:
            assert late.end().record == ended.record
        assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT


def test_what_is_refused_by_the_carrier_ends_the_front_end_alike(shared):
    host = shared(BOTH)
    with untouched(host):
        for words, code in ((["run", "--yes", "gunicorn-timeout", "-e", "timeout=9s",
                              "-e", "endpoint=http://127.0.0.1/reports/"], REFUSED),
                            (["rollback", "--yes", "20200101T000000-00000000"], FAILED)):
            carried, here = host.salve(*words), host.salve(*words, "--foreground")
            assert carried.code == here.code == code, (carried, here)
            assert carried.stderr == here.stderr != "", (carried, here)
        host.salve("hold", check=True)
        assert run(host, SHORT).code == BUSY
        host.salve("release", check=True)


# The carrier.

def test_a_carrier_that_is_killed_is_recovered_without_anybody(boot):
    host = boot(BOTH)
    with restored(host):
        with start(host, LONG) as carried:
            carried.wait_event(event="state", state="verifying")
            carried.signal("KILL")
            ended = carried.end()
        assert ended.code == ROLLED_BACK, ended
        assert ended.record["state"] == "rolled-back" and ended.said("was interrupted"), ended
    assert last_state(host) == "rolled-back"
    assert "timeout = 5" not in master_argv(host)


def test_a_carrier_that_is_killed_before_it_touched_anything_leaves_nothing(boot):
    host = boot(BOTH)
    with untouched(host):
        with start(host, LONG) as carried:
            carried.wait_event(event="state", state="snapshotted")
            carried.signal("KILL")
            ended = carried.end()
    assert ended.code == REFUSED, ended
    assert leftovers(host) == []


def test_a_run_leaves_no_unit_and_no_request_behind(shared):
    host = shared(BOTH)
    with restored(host):
        ended = run(host, SHORT)
        assert ended.code == KEPT
        back = salve(host, "rollback", "--yes", "--verify", "once")
        assert back.code == KEPT
    units = f"salve-run-{ended.id}.service salve-run-{back.id}.service"
    host.run(f"while systemctl list-units --all --plain --no-legend {units} | grep .; do :; done", timeout=20)
    found = host.run("stat -c '%a %n' /run/salve /run/salve/*").stdout.split()
    assert found[:2] == ["700", "/run/salve"] and not any("request" in word for word in found), found
    assert f"/run/salve/{ended.id}.events" in found and set(found[2::2]) == {"600"}, found


# A person at a terminal.

class Terminal:
    """A command on a terminal of its own; script(1) makes one on the host."""

    def __init__(self, host, command):
        self.host = host
        self.process = host.start(["script", "--quiet", "--return", "--command", f"exec env TERM=dumb {command}", "/dev/null"],
                                  environment={"NO_COLOR": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.host.end(self.process)
        self.process.stdin.close()
        self.process.stdout.close()

    def wait(self, text):
        """Wait until the text was printed behind what was waited for before."""
        while text.encode() not in self.seen:
            if not wait_readable([self.process.stdout], EVENT_SECONDS):
                raise LabError(f"no {text!r} in {self.seen.decode()}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise LabError(f"no {text!r} in {self.seen.decode()}")
            self.seen += data
        before, _, self.seen = self.seen.partition(text.encode())
        return before.decode()

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self):
        rest = self.process.communicate(timeout=EVENT_SECONDS)[0]
        return self.process.returncode, (self.seen + rest).decode()


def at_terminal(host, text, *words):
    return Terminal(host, " ".join(["salve", "run", write_playbook(host, text), *words]))


def test_ctrl_c_asks_and_can_roll_back(shared):
    host = shared(BOTH)
    with restored(host), at_terminal(host, LONG, "--yes") as terminal:
        terminal.wait("verifying")
        terminal.type("\x03")
        terminal.wait("[d/r/w]")
        terminal.type("w\n")
        terminal.wait("Watching on")
        terminal.type("\x03")
        terminal.wait("[d/r/w]")
        terminal.type("r\n")
        terminal.wait("rolling-back")
        code, text = terminal.end()
    assert code == ROLLED_BACK and "cancelled" in text, text


@pytest.mark.parametrize("answer", ["d\n", "\x03"])
def test_ctrl_c_can_leave_the_run_alone(shared, answer):
    host = shared(BOTH)
    with restored(host):
        with at_terminal(host, LONG, "--yes") as terminal:
            terminal.wait("verifying")
            terminal.type("\x03")
            terminal.wait("[d/r/w]")
            terminal.type(answer)
            code, text = terminal.end()
        assert code == FAILED and "salve cancel" in text, text
        with follow(host) as again:
            again.wait_event(event="state", state="verifying")
            again.signal("TERM")
            assert again.end().code == ROLLED_BACK


def test_the_host_is_free_while_a_person_thinks(shared):
    host = shared(BOTH)
    with restored(host), at_terminal(host, SHORT) as terminal:
        plan = terminal.wait("Apply? [y/N]")
        assert "+timeout = 5" in plan, plan
        assert salve_json(host, "status")["lock"] is None
        terminal.type("y\n")
        code, text = terminal.end()
        assert code == KEPT and "Apply" not in text and "+timeout" not in text, text
        assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT


def test_another_plan_than_the_one_that_was_agreed_to_is_not_run(shared):
    host = shared(BOTH)
    with restored(host), at_terminal(host, SHORT) as terminal:
        terminal.wait("Apply? [y/N]")
        before = host.read(CONFIG)
        host.write(CONFIG, before + "# a deploy\n")
        host.systemctl("restart", host.unit)
        host.wait_site()
        terminal.type("y\n")
        code, text = terminal.end()
        assert code == REFUSED and "changed since the plan was shown" in text, text
        host.write(CONFIG, before)
        host.systemctl("restart", host.unit)
        host.wait_site()


def test_no_is_an_answer(shared):
    host = shared(BOTH)
    with untouched(host), at_terminal(host, SHORT) as terminal:
        terminal.wait("Apply? [y/N]")
        terminal.type("n\n")
        code, text = terminal.end()
    assert code == REFUSED and "Nothing was touched" in text, text
