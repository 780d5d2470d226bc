# SPDX-License-Identifier: Apache-2.0
"""Which labs exist on this machine, and how one is removed.

A lab is a number N. Everything that belongs to it carries that number in its name, and no other record is needed:

    /run/salve-lab/N/owner         the process that owns it: pid and start time
    /var/lib/salve-lab/N/          the hosts' overlays and disks
    salve-N                        the bridge, with 10.213.N.1/24
    salve-N-HOST                   a host's network namespace and machine name
    .../salve-lab-N-HOST           a host's cgroup: every process in it was started by the lab

So a lab whose owner was killed is removed by whoever starts the next one, in the same way as a living one by itself.
Processes are ended one by one by their ids, and only those inside the lab's own cgroups.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import time

from .machine import LabError, cgroup_mounts, command, end_process, mount_table, start_time

REGISTRY = pathlib.Path("/run/salve-lab")
STORAGE = pathlib.Path("/var/lib/salve-lab")
NUMBERS = range(1, 255)


def claim_lab():
    """Remove the labs of dead owners, then take a free number for this process.

    The numbers go round: one that has just been released stays free for long, so that whoever looks for what a lab
    has left does not find another lab of the same number.
    """
    with registry_lock() as lock:
        remove_dead()
        last = int(lock.read() or 0)
        for step in range(len(NUMBERS)):
            number = NUMBERS[(last + step) % len(NUMBERS)]
            entry = REGISTRY / str(number)
            with contextlib.suppress(FileExistsError):
                entry.mkdir()
                (entry / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}\n")
                lock.seek(0)
                lock.write(f"{number:3}")
                return number
    raise LabError(f"all {len(NUMBERS)} lab networks are in use (see {REGISTRY})")


def release_lab(number):
    with registry_lock():
        remove_lab(number)


def remove_dead_labs():
    """Remove every lab whose owner is gone; returns their numbers."""
    with registry_lock():
        return remove_dead()


@contextlib.contextmanager
def registry_lock():
    """The file that is locked; it holds the last number that was taken."""
    REGISTRY.mkdir(mode=0o755, exist_ok=True)
    (REGISTRY / "lock").touch()
    with open(REGISTRY / "lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def remove_dead():
    dead = [int(entry.name) for entry in REGISTRY.iterdir() if entry.name.isdigit() and not owner_lives(entry)]
    for number in dead:
        remove_lab(number)
    return dead


def owner_lives(entry):
    try:
        pid, started = (int(word) for word in (entry / "owner").read_text().split())
    except (FileNotFoundError, ValueError):
        return False
    return start_time(pid) == started


def remove_lab(number):
    """Bring down a lab from whatever state it is in. May be repeated."""
    end_cgroups(f"salve-lab-{number}-*")
    for namespace in command("ip", "netns", "list").split():
        if namespace.startswith(f"salve-{number}-"):
            command("ip", "netns", "delete", namespace)
    if pathlib.Path(f"/sys/class/net/salve-{number}").exists():
        command("ip", "link", "delete", f"salve-{number}")
    remove_storage(STORAGE / str(number))
    for path in pathlib.Path("/run/systemd/nspawn/propagate").glob(f"salve-{number}-*"):
        shutil.rmtree(path)
    shutil.rmtree(REGISTRY / str(number), ignore_errors=True)


def end_cgroups(pattern):
    """End every process in the matching cgroups and remove these."""
    groups = [group for mount in cgroup_mounts() for group in mount.glob(pattern)]
    # The hosts first: systemd-nspawn then ends by itself, and removes its lock.
    end_processes([group / "payload" for group in groups], grace=0)
    end_processes(groups, grace=5)
    for group in groups:
        for path, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(path)


def end_processes(groups, grace):
    deadline = time.monotonic() + 10
    while pids := {pid for group in groups for pid in processes_of(group)}:
        if time.monotonic() > deadline:
            raise LabError(f"processes of the lab do not end: {sorted(pids)}")
        for pid in pids:
            end_process(pid, grace)


def processes_of(group):
    for path, _, files in os.walk(group):
        with contextlib.suppress(FileNotFoundError, OSError):
            text = (pathlib.Path(path) / "cgroup.procs").read_text()
            yield from (int(pid) for pid in text.split() if start_time(pid) is not None)


def remove_storage(directory):
    """Unmount what is mounted below the directory, inner mounts first, and delete it."""
    inside = [mount["target"] for mount in mount_table() if mount["target"].startswith(f"{directory}/")]
    for target in reversed(inside):
        command("umount", target)
    if directory.exists():
        try:
            shutil.rmtree(directory)
        except PermissionError:
            # A test has made a file immutable.
            subprocess.run(["chattr", "-R", "-f", "-i", "-a", str(directory)], stdout=subprocess.DEVNULL)
            shutil.rmtree(directory)
