# SPDX-License-Identifier: Apache-2.0
"""One lab host as a machine: an overlay over the shared root, a network port, a cgroup, and a power switch.

systemd-nspawn boots it. It reports the container's first process, and later that the boot is finished, over the
notify socket; nothing here waits by the clock. What is written below `root` before the first boot is the host's
installation; it survives every power cut, as a disk does.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from .leftovers import STORAGE, end_cgroups, processes_of, remove_storage
from .machine import LabError, cgroup_mounts, command, end_process, wait_readable

BOOT_SECONDS = 60

# Where `enter` puts what it starts: below the cgroup that is the root of the host's own.
COMMANDS = "payload/lab"

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LANG": "C.UTF-8",
}


class Container:
    def __init__(self, number, name, index, lower):
        """Make the host `name`, the index-th of lab `number`, over the shared root at `lower`; it is not booted yet."""
        self.name = name
        self.machine = f"salve-{number}-{name}"
        self.address = f"10.213.{number}.{index + 10}"
        self.directory = STORAGE / str(number) / name
        self.root = self.directory / "root"
        self.cgroup = f"salve-lab-{number}-{name}"
        self.leader = None
        self.supervisor = None
        self.disks = {}
        self.kernel_log = False
        self.make_overlay(lower)
        self.make_network(f"salve-{number}", f"salve-{number}-{index}")

    def make_overlay(self, lower):
        for part in ("upper", "work", "root"):
            (self.directory / part).mkdir(parents=True)
        command("mount", "-t", "overlay", "overlay", "-o",
                f"lowerdir={lower},upperdir={self.directory}/upper,workdir={self.directory}/work", str(self.root))

    def make_network(self, bridge, port):
        command("ip", "netns", "add", self.machine)
        command("ip", "-batch", "-", input=f"link add {port} type veth peer name eth0 netns {self.machine}\n"
                                           f"link set {port} master {bridge} up\n")
        command("ip", "-n", self.machine, "-batch", "-", input=f"link set lo up\n"
                                                               f"address add {self.address}/24 dev eth0\n"
                                                               f"link set eth0 up\n")

    def add_disk(self, path, size):
        """Put a real ext4 file system of that many bytes at `path` of the host. Before the first boot only."""
        image = self.directory / f"disk-{len(self.disks)}"
        with open(image, "wb") as file:
            file.truncate(size)
        command("mkfs.ext4", "-q", "-m", "0", str(image))
        target = self.root / path.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        # mount(8) sets up the loop device so that it goes away with the last mount.
        command("mount", "-o", "loop", str(image), str(target))
        shutil.rmtree(target / "lost+found")
        self.disks[path] = image

    def boot(self):
        """Returns when the host's systemd has reached its default target; what failed on the way is its own affair."""
        notify_path = self.directory / "notify"
        notify_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            # A path of sun_path's 108 bytes may be too short for the lab's; the descriptor's name never is.
            directory = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
            try:
                notify.bind(f"/proc/self/fd/{directory}/notify")
            finally:
                os.close(directory)
            self.spawn(notify_path)
            self.wait_booted(notify)

    def spawn(self, notify_path):
        argv = ["systemd-nspawn", "--quiet", "--directory", str(self.root), "--machine", self.machine, "--boot",
                "--register=no", "--keep-unit", "--notify-ready=yes", "--console=pipe",
                f"--network-namespace-path=/run/netns/{self.machine}",
                "--resolv-conf=off", "--timezone=off", "--link-journal=no"]
        if self.kernel_log:
            argv += ["--bind=/dev/kmsg", "--capability=CAP_SYSLOG"]
        # The host sees one unified cgroup hierarchy, as hosts do, also where the machine is a hybrid.
        environment = dict(os.environ, NOTIFY_SOCKET=str(notify_path), SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1")
        with open(self.directory / "console", "ab") as console:
            self.supervisor = self.start_in_cgroup(argv, "", stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                                   env=environment, start_new_session=True)

    def wait_booted(self, notify):
        ended = os.pidfd_open(self.supervisor.pid)
        deadline = time.monotonic() + BOOT_SECONDS
        try:
            while True:
                ready = wait_readable([notify, ended], deadline - time.monotonic())
                if not ready:
                    raise self.boot_error(f"not ready after {BOOT_SECONDS} s")
                if notify.fileno() not in ready:
                    raise self.boot_error(f"systemd-nspawn ended with exit code {self.supervisor.wait()}")
                for field in notify.recv(4096).decode().splitlines():
                    if field.startswith("X_NSPAWN_LEADER_PID="):
                        self.leader = int(field.partition("=")[2])
                    if field == "READY=1" and self.leader:
                        return
        finally:
            os.close(ended)

    def boot_error(self, what):
        console = (self.directory / "console").read_text(errors="replace").splitlines()[-20:]
        return LabError(f"host {self.name} does not boot: {what}\n" + "\n".join(console))

    def start_in_cgroup(self, argv, group, **options):
        """Popen a program of the machine inside the host's cgroup, or the group of that name below it."""
        files = []
        for mount in cgroup_mounts():
            path = mount / self.cgroup / group
            path.mkdir(parents=True, exist_ok=True)
            files.append(os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))

        def enter():
            for file in files:
                os.write(file, b"0")

        try:
            return subprocess.Popen(argv, preexec_fn=enter, **options)
        finally:
            for file in files:
                os.close(file)

    def enter(self, argv, user=None, environment=None, under=(), **options):
        """Popen a program of the host, inside it, as root or `user`; `under` a program of the machine, such as strace.
        Takes the options of Popen."""
        if self.leader is None:
            raise LabError(f"host {self.name} is switched off")
        variables = dict(ENVIRONMENT, TERM=os.environ.get("TERM", "dumb"), **(environment or {}))
        words = [*under, "nsenter", "--target", str(self.leader), "--all", "env", "-i"]
        words += [f"{name}={value}" for name, value in variables.items()]
        if user:
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return self.start_in_cgroup(words + list(argv), COMMANDS, **options)

    def end(self, process):
        """SIGKILL what `enter` started in a process group of its own, with all its children in that group.

        nsenter, which is the group's first process and outside of the host, has to outlive its child and reap it:
        an orphan would go to the machine's first process, and the host cannot end before that has reaped it.
        """
        while process.poll() is None:
            self.resume_commands()
            for pid in processes_of(cgroup_mounts()[0] / self.cgroup / COMMANDS):
                with contextlib.suppress(ProcessLookupError):
                    if pid != process.pid and os.getpgid(pid) == process.pid:
                        os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)

    def resume_commands(self):
        """nsenter stops itself with its child, which a shutdown stops as all of the host's processes, and would never
        reap it."""
        for pid in processes_of(cgroup_mounts()[0] / self.cgroup / COMMANDS):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def cut_power(self):
        """End everything on the host in the same instant."""
        if self.leader is not None:
            end_process(self.leader)
            self.leader = None
        if self.supervisor is not None:
            end_process(self.supervisor.pid, grace=5)
            self.supervisor.wait()
            self.supervisor = None
        end_cgroups(self.cgroup)

    def shut_down(self):
        """Let the host's systemd stop everything in its order, as a person's `poweroff` does."""
        # SIGRTMIN+4 asks a container's first process for poweroff.target.
        os.kill(self.leader, signal.SIGRTMIN + 4)
        deadline = time.monotonic() + BOOT_SECONDS
        while self.supervisor.poll() is None:
            if time.monotonic() > deadline:
                raise LabError(f"host {self.name} does not power off in {BOOT_SECONDS} s")
            self.resume_commands()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.supervisor.wait(0.05)
        self.cut_power()

    def remove(self):
        self.cut_power()
        command("ip", "netns", "delete", self.machine)
        remove_storage(self.directory)
        shutil.rmtree(pathlib.Path("/run/systemd/nspawn/propagate") / self.machine, ignore_errors=True)
