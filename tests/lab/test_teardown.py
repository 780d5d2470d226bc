# SPDX-License-Identifier: Apache-2.0
"""A lab leaves nothing: no process, mount, namespace, link, cgroup or file, however it ended."""

import contextlib
import pathlib
import signal
import subprocess
import sys

import pytest

from lab import Lab, leftovers, machine
from lab.machine import REPOSITORY

COMMAND = REPOSITORY / "tests/lab/host"

# A lab of its own in another process; it tells its number when the host is up, and then waits.
RUNNER = """
import sys
from lab import Lab, Spec
with Lab() as lab:
    host = lab.boot(Spec(disks=(("/var/lib/salve", 8 << 20),)))
    host.start(["sleep", "1000"])
    host.run("chattr +i /etc/hostname")
    print(lab.number, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def runner():
    process = subprocess.Popen([sys.executable, "-B", "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=REPOSITORY / "tests")
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def traces(number):
    """What there is on the machine of the lab of that number."""
    found = [mount["target"] for mount in machine.mount_table() if f"/salve-lab/{number}/" in mount["target"]]
    found += [name for name in machine.command("ip", "netns", "list").split() if name.startswith(f"salve-{number}-")]
    patterns = {
        "/sys/class/net": [f"salve-{number}", f"salve-{number}-*"],
        "/run/systemd/nspawn/propagate": [f"salve-{number}-*"],
        leftovers.REGISTRY: [str(number)],
        leftovers.STORAGE: [str(number)],
        **{mount: [f"salve-lab-{number}-*"] for mount in machine.cgroup_mounts()},
    }
    for directory, names in patterns.items():
        found += [str(path) for name in names for path in pathlib.Path(directory).glob(name)]
    for commandline in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"--machine\0salve-{number}-".encode() in commandline.read_bytes():
                found.append(str(commandline))
    return found


def test_a_lab_that_ends_leaves_nothing():
    with Lab() as lab:
        lab.boot()
        number = lab.number
        assert len(traces(number)) > 5
    assert traces(number) == []


def test_a_removed_host_leaves_nothing_of_its_own(lab):
    host = lab.boot()
    before = traces(lab.number)
    assert [trace for trace in before if host.container.machine in trace]
    host.remove()
    assert not [trace for trace in traces(lab.number) if host.container.machine in trace]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_lab_ended_by_a_signal_leaves_nothing(number):
    with runner() as (process, lab_number):
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert traces(lab_number) == [], said


def test_a_killed_lab_is_removed_by_the_next():
    with runner() as (process, number):
        process.kill()
        process.wait(30)
        subprocess.run([COMMAND, "--clean"], check=True, stdout=subprocess.DEVNULL)
        assert traces(number) == []


def test_two_labs_live_side_by_side(lab):
    with runner() as (process, number):
        assert number != lab.number
        other = lab.boot()
        assert other.run("true").code == 0
        assert traces(number)
        other.remove()
        process.stdin.close()
        process.wait(30)
        assert traces(number) == []


def test_the_command_runs_a_command_on_a_host_and_returns_its_exit_code():
    argv = [COMMAND, "--variant", "no-gunicorn,no-nginx", "--name", "db7", "--", "sh", "-c", "hostname; exit 9"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (9, "db7\n")
