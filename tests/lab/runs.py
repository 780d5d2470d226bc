# SPDX-License-Identifier: Apache-2.0
"""Runs of salve on a lab host, as the tests look at them: the events of --json, the exit code, the host around it."""

import contextlib
import json
import os
import subprocess
import time

from .machine import LabError, wait_readable
from .playbooks import write_playbook
from .state import diff_state

KEPT, FAILED, INVALID, REFUSED, ROLLED_BACK, STUCK, BUSY = 0, 1, 2, 3, 4, 5, 6

EVENT_SECONDS = 90
END_SECONDS = 300    # the longest run of a test, on a machine that is busy with other hosts


class Run:
    """How a command of salve ended: its exit code, its events, the record of the run if there was one."""

    def __init__(self, code, lines, stderr):
        self.code = code
        self.stderr = stderr
        self.events = [json.loads(line) for line in lines if line.strip()]
        records = [event for event in self.events if event.get("event") == "record"]
        self.record = records[-1] if records else {}
        self.id = self.record.get("run")
        self.reason = self.record.get("reason", "")

    def __repr__(self):
        return "\n".join([f"exit code {self.code}", *map(json.dumps, self.events), self.stderr])

    def texts(self, *kinds):
        """What the events of these kinds say, subjects included."""
        return [f"{event.get('subject', '')}: {event.get('text', '')}" for event in self.events
                if event.get("event") in kinds]

    def said(self, text):
        """Whether an event, the record or stderr has the text."""
        return text in self.stderr or any(text in json.dumps(event, ensure_ascii=False) for event in self.events)

    def states(self):
        return [event["state"] for event in self.events if event["event"] == "state"]

    def verdicts(self):
        return {event["subject"]: event["verdict"] for event in self.events if event["event"] == "verdict"}


class Carried:
    """A run under way; use it in a `with` statement."""

    def __init__(self, host, process):
        self.host = host
        self.process = process
        self.lines = []
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.host.end(self.process)
        self.process.stdout.close()
        self.process.stderr.close()

    def next_event(self, **wanted):
        """Wait for an event with these fields that has not been read yet."""
        return self.wait_event(seen=len(self.lines), **wanted)

    def wait_event(self, seen=0, **wanted):
        """Wait for an event with these fields; a text field only has to contain what is wanted."""
        deadline = time.monotonic() + EVENT_SECONDS
        while True:
            for line in self.lines[seen:]:
                event = json.loads(line)
                if all(str(value) in str(event.get(name, "")) for name, value in wanted.items()):
                    return event
            seen = len(self.lines)
            if not wait_readable([self.process.stdout], deadline - time.monotonic()) or not self.read():
                raise LabError(f"{self.host.name}: no event {wanted} in:\n" + "\n".join(self.lines) +
                               self.process.stderr.read().decode())

    def read(self):
        data = os.read(self.process.stdout.fileno(), 65536)
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.lines += [line.decode() for line in lines if line.strip()]
        return bool(data)

    def signal(self, name):
        """Send a signal to the salve that carries the run, which holds the lock, by its process id."""
        holder = json.loads(self.host.salve("status", "--json", check=True).stdout)["lock"]
        self.host.run(["kill", "-s", name, str(holder["pid"])])

    def end(self):
        deadline = time.monotonic() + END_SECONDS
        while wait_readable([self.process.stdout], deadline - time.monotonic()):
            if not self.read():
                break
        else:
            raise LabError(f"{self.host.name}: the run does not end:\n" + "\n".join(self.lines))
        stderr = self.process.stderr.read().decode()
        return Run(self.process.wait(), self.lines, stderr)


def start(host, playbook, *words, environment=None):
    """Start a run of a playbook: the name of an installed one, or the text of one of playbooks.py.

    systemd carries it, and the process here only follows it; with the word --foreground that process carries it."""
    name = write_playbook(host, playbook) if playbook.startswith("{") else playbook
    process = host.start(["salve", "--json", "run", "--yes", name, *words], environment=environment,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return Carried(host, process)


def run(host, playbook, *words, environment=None):
    """Run a playbook to its end."""
    with start(host, playbook, *words, environment=environment) as carried:
        return carried.end()


def salve(host, *words):
    """Run another command of salve that prints events, to its end."""
    done = host.salve("--json", *words)
    return Run(done.code, done.stdout.splitlines(), done.stderr)


def salve_json(host, *words):
    """What a reading command prints with --json."""
    return json.loads(host.salve(*words, "--json", check=True).stdout)


def settle(host):
    """Whatever is hot is brought to an end, by whoever is at it or by us."""
    host.salve("lock", "--wait", "90s", "--", "true", check=True, timeout=120)


def invocations(host):
    """Which services run, by what tells two starts of one service apart; for nginx also its workers."""
    units = [unit for unit in (host.unit, "nginx.service", "celery.service", "site-metrics.service")]
    found = {unit: host.show(unit, "InvocationID") for unit in units}
    master = host.show("nginx.service", "MainPID")
    found["nginx workers"] = master != "0" and sorted(host.run(["pgrep", "--parent", master]).stdout.split())
    return found


def leftovers(host):
    """What salve has left that only a run under way may have: its hot file, names beside its targets, staging
    directories and transient units."""
    found = host.run("ls -d /var/lib/salve/hot /run/salve/stage-* 2>/dev/null; find /etc /srv -name '.*salve*'; "
                     "ls -d /run/systemd/transient/salve-check-* 2>/dev/null", check=False).stdout
    return found.split()


@contextlib.contextmanager
def restored(host):
    """The host as a whole is after the block as it was before."""
    before = host.snapshot_state()
    argv = master_argv(host)
    yield
    differences = diff_state(before, host.snapshot_state()) + leftovers(host)
    assert not differences, differences
    assert master_argv(host) == argv, f"Gunicorn runs with {master_argv(host)}, and ran with {argv}"


@contextlib.contextmanager
def untouched(host):
    """As restored, and no service was even restarted or reloaded."""
    before = invocations(host)
    with restored(host):
        yield
    after = invocations(host)
    assert after == before, f"{before} -> {after}"


def hide_journal(host):
    """Mount nothing over the journal's files: they can be opened, and hold no entry."""
    host.run("for d in /var/log/journal /run/log/journal; do [ ! -d $d ] || mount -t tmpfs none $d; done; "
             "until systemctl is-active -q var-log-journal.mount; do :; done", timeout=20)


def master_argv(host):
    """The command line that Gunicorn runs with; empty where it does not run."""
    pid = host.show(host.unit, "MainPID")
    if not pid or pid == "0":
        return ""
    return host.run(f"tr '\\0' ' ' </proc/{pid}/cmdline", check=False).stdout  # it may end at this moment


def refusal(host, playbook, *words, code=REFUSED):
    """A run that is refused, with no trace on the host; returns it."""
    with untouched(host):
        ended = run(host, playbook, *words)
    assert ended.code == code, ended
    return ended
