# SPDX-License-Identifier: Apache-2.0
"""salve may die at any instant: killed at its own fault points, killed from outside by strace (which knows nothing of
those points and also reaches the calls of SQLite and libgit2), or with the whole host. Afterwards the host is wholly
old or wholly new, running configuration included, and the ledger says which.

A sample of the points is tried; --kills N tries that many of each kind, --kills all every one. The seed is printed and
can be given again with --seed.
"""

import collections
import random
import re
import time

import pytest

from lab import Spec
from lab.playbooks import TIMEOUT, align, http, playbook, write_playbook
from lab.runs import KEPT, leftovers, master_argv, run, salve, salve_json, settle, start

SPEC = Spec(proxy_read_timeout="3s")
CHANGE = playbook(TIMEOUT, align(), checks=(http("health", limit="10s"),), warmup="0ms", settle="500ms")
ONCE = ("--verify", "once")
DROP_IN = "/etc/systemd/system/gunicorn.service.d"
SITE = "/etc/nginx/sites-available/site"
# What makes something durable, or makes a name point elsewhere.
CALLS = "fsync,fdatasync,pwrite64,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,symlinkat"
GENERATION_SECONDS = 5
STATES = ["baselining", "snapshotted", "staged", "applying", "activating", "verifying"]


@pytest.fixture
def sample(request, record_property):
    """A function that picks points to try, and says which."""
    how_many, seed = request.config.getoption("--kills"), request.config.getoption("--seed")
    seed = seed if seed is not None else random.randrange(1 << 32)

    def pick(points):
        points = list(points)
        chosen = points if how_many == "all" else random.Random(seed).sample(points, min(int(how_many), len(points)))
        print(f"seed {seed}: {len(chosen)} of {len(points)} points: {sorted(chosen)}")
        record_property("seed", seed)
        return chosen
    return pick


def nginx_loaded_the_site(host):
    """Every worker was started after the site's file got its content. Those of before are told to finish a tenth of a
    second after the new ones were started (ngx_master_process_cycle), so there is a second look."""
    master = host.show("nginx.service", "MainPID")
    script = f'changed=$(stat -L -c %Z {SITE}); boot=$(awk "/^btime/ {{ print \\$2 }}" /proc/stat)\n' \
             f'for pid in $(pgrep --parent {master} --full "nginx: worker process$"); do\n' \
             f'started=$(awk "{{ print int(\\$22 / 100) }}" /proc/$pid/stat 2>/dev/null) || continue; ' \
             f'[ $((boot + started + 1)) -ge $changed ] || echo "worker $pid"; done'
    deadline = time.monotonic() + GENERATION_SECONDS
    while host.run(script).stdout:
        if time.monotonic() > deadline:
            return False
    return True


def newest_run(host):
    return salve_json(host, "history")["runs"][0]


def outcome(host, earlier):
    """`old` or `new`; anything else fails here. The ledger must agree; a run that was killed before it was recorded has
    left the one before it, `earlier`, as the newest."""
    files = host.exists(f"{DROP_IN}"), "proxy_read_timeout 10s;" in host.read(SITE)
    running = "--timeout 5" in master_argv(host)
    assert files in ((True, True), (False, False)), f"drop-in and site disagree: {files}"
    assert running == files[0], f"Gunicorn runs another timeout than the disk has: {master_argv(host)}"
    assert nginx_loaded_the_site(host), "nginx runs with what it loaded before"
    assert host.get("/health/").status == 200
    assert leftovers(host) == []
    report = salve_json(host, "status")
    assert not report["hot"] and not report["unfinished"], report
    newest = newest_run(host)
    state = newest["state"] if newest["run"] != earlier else "not recorded"
    assert (state == "kept") == files[0], f"the ledger says {state}"
    return ("new" if files[0] else "old"), state


class Trials:
    """Trials on one host; each begins with the old state."""

    def __init__(self, host):
        self.host = host
        self.ends = collections.Counter()
        self.newest = newest_run(host)["run"]

    def judge(self, what):
        try:
            settle(self.host)
            side, state = outcome(self.host, self.newest)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
        self.ends[f"{side} ({state})"] += 1
        self.next_run(what, side)
        self.newest = newest_run(self.host)["run"]

    def next_run(self, what, side):
        """Whatever ended the last run: the next ones work. The old state is there afterwards."""
        if side == "old":
            ended = run(self.host, CHANGE, *ONCE, "--force")
            assert ended.code == KEPT, f"{what}: the next run does not work: {ended}"
        back = salve(self.host, "rollback", "--yes", *ONCE)
        assert back.code == KEPT, f"{what}: the next rollback does not work: {back}"

    def tell(self, kind, record_property):
        text = f"{sum(self.ends.values())} tried: " + ", ".join(f"{count} ended {end}"
                                                                for end, count in sorted(self.ends.items()))
        print(f"{kind}: {text}")
        record_property(kind, text)


def first_run(host, **options):
    """The state directory is there, and one run has been taken back: what each trial begins with."""
    assert run(host, CHANGE, *ONCE, **options).code == KEPT
    assert salve(host, "rollback", "--yes", *ONCE).code == KEPT


def test_killed_at_its_own_points(boot, sample, record_property):
    host = boot(SPEC)
    first_run(host)
    first_run(host, environment={"SALVE_FAULT": "count:/root/points"})
    trials = Trials(host)
    for number in sample(range(1, len(host.read("/root/points").splitlines()) + 1)):
        run(host, CHANGE, *ONCE, environment={"SALVE_FAULT": f"{number}:kill"})
        trials.judge(f"killed at point {number}")
    trials.tell("killed: own fault points", record_property)


def strace(host, *options):
    path = write_playbook(host, CHANGE)
    return host.run(["strace", "-f", "-qq", "-e", f"trace={CALLS}", *options, "salve", "run", "--foreground", "--yes",
                     *ONCE, path], check=False, timeout=180)


def calls_of_the_engine(lines):
    """Every call of salve's own process, as strace counts them: by name, from 1."""
    own = lines[0].split()[0]
    seen = collections.Counter()
    for line in lines:
        call = re.match(rf"{own} +([a-z0-9]+)\(", line)
        if call:
            seen[call[1]] += 1
            yield call[1], seen[call[1]]


def test_killed_from_outside(boot, sample, record_property):
    host = boot(SPEC)
    first_run(host)
    assert strace(host, "-o", "/root/calls").code == KEPT
    assert salve(host, "rollback", "--yes", *ONCE).code == KEPT
    trials = Trials(host)
    for name, number in sample(calls_of_the_engine(host.read("/root/calls").splitlines())):
        strace(host, "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}")
        trials.judge(f"killed at {name} number {number}")
    trials.tell("killed: calls, by strace", record_property)


def test_killed_with_the_whole_host(boot, sample, record_property):
    host = boot(SPEC)
    first_run(host)
    trials = Trials(host)
    for state in sample(STATES):
        with start(host, CHANGE) as carried:
            carried.wait_event(event="state", state=state)
            host.power_cut()
        host.wait_site()
        trials.judge(f"power cut in {state}")
    trials.tell("killed: power cuts", record_property)


def test_killed_while_gunicorn_checks_the_candidate(boot):
    host = boot(SPEC)
    first_run(host)
    trials = Trials(host)
    host.knob("import-delay", "3")
    with start(host, CHANGE) as carried:
        host.run("until ls /run/systemd/transient/salve-check-* 2>/dev/null; do :; done", timeout=30)
        carried.signal("KILL")
        carried.end()
    host.knob("import-delay", None)
    assert host.salve("plan", write_playbook(host, CHANGE)).code == KEPT, "a unit of salve's own is taken for a service"
    trials.judge("killed while gunicorn --check-config ran")
