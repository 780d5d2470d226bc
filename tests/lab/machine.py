# SPDX-License-Identifier: Apache-2.0
"""The machine that carries the lab: what it must offer, and the few ways in which the lab talks to it."""

import os
import pathlib
import select
import shutil
import signal
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Where tests/run builds, a directory for each compiler. Each checkout has its own.
BUILD = pathlib.Path(os.environ.get("SALVE_BUILD") or f"/var/tmp/salve-build/{str(REPOSITORY)[1:].replace('/', '-')}")
PACKAGES = REPOSITORY / "packaging" / "packages"

TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mkfs.ext4": "e2fsprogs",
}

# Every host takes a handful of inotify instances of the one root user that all hosts share; at the kernel's
# default of 128 systemd fails in about the eighteenth host.
INOTIFY_INSTANCES = 4096


class LabError(Exception):
    """The lab cannot do what was asked; the message says why and what is missing."""


def command(*argv, check=True, input=None):
    """Run a program of the machine and return its output."""
    done = subprocess.run(argv, input=input, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise LabError(f"{' '.join(argv)}: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout


def missing():
    """What keeps this machine from booting lab hosts, one sentence each; empty where nothing does."""
    if os.geteuid() != 0:
        return ["the lab needs root: run it with sudo"]
    found = []
    lacking = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if lacking:
        found.append(f"programs are not installed: apt-get install {' '.join(lacking)}"
                     " (or packaging/install-packages lab)")
    if not cgroup_mounts():
        found.append("no cgroup2 file system is mounted: containers need one to run systemd in")
    elif not all(os.access(mount, os.W_OK) for mount in cgroup_mounts()):
        found.append("the cgroup file system is read-only: give this container its own cgroups (docker: --privileged)")
    for kind in ("mount", "net", "pid") if shutil.which("unshare") else ():
        probe = ["unshare", f"--{kind}", "--fork", "true"]
        if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            found.append(f"the kernel or the container around us refuses {kind} namespaces (needs CAP_SYS_ADMIN)")
    if not has_overlay():
        found.append("the kernel has no overlay file system")
    return found


def has_overlay():
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "--quiet", "overlay"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return "overlay" in pathlib.Path("/proc/filesystems").read_text().split()


def require():
    """Raise one LabError that names everything that is missing."""
    found = missing()
    if found:
        raise LabError("lab hosts cannot be booted here:\n" + "\n".join(f"  - {sentence}" for sentence in found))


def allow_many_hosts():
    path = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
    if int(path.read_text()) < INOTIFY_INSTANCES:
        path.write_text(str(INOTIFY_INSTANCES))


def cgroup_mounts():
    """Where a host needs a cgroup of its own: the unified hierarchy and, on hybrid machines, systemd's named one."""
    mounts = []
    for mount in mount_table():
        named = mount["type"] == "cgroup" and "name=systemd" in mount["options"]
        if mount["target"].startswith("/sys/fs/cgroup") and (mount["type"] == "cgroup2" or named):
            mounts.append(pathlib.Path(mount["target"]))
    return mounts


def mount_table():
    """The mounts of this process: dicts of target, type and options, in the order of mounting."""
    table = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ", 1)
        target = left.split()[4].encode().decode("unicode_escape")
        fstype, _, options = right.split(" ", 2)
        table.append({"target": target, "type": fstype, "options": options.split(",")})
    return table


def start_time(pid):
    """The start time of a process in clock ticks, or None where there is none: with the pid it is an identity."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[19])


def end_process(pid, grace=0):
    """Give a process that many seconds to end by itself, then SIGKILL it by its id; returns when it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not wait_readable([handle], grace):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            wait_readable([handle], 10)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def wait_readable(files, seconds):
    """Wait until one of the files is readable (of a pidfd: its process has ended), at most that long.

    Returns the descriptors that are; empty where none was in time.
    """
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(max(0, seconds) * 1000)]
