# SPDX-License-Identifier: Apache-2.0
"""What a test, the demonstration or a person does with a booted lab host."""

import dataclasses
import http.client
import os
import pathlib
import shlex
import ssl
import subprocess
import tempfile
import time

from . import state
from .machine import LabError, wait_readable

KNOBS = "/var/lib/site/knobs"
COMMAND_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished command of the host."""

    code: int
    stdout: str
    stderr: str

    @property
    def output(self):
        return self.stdout + self.stderr


@dataclasses.dataclass(frozen=True)
class Response:
    """An HTTP answer; status 0 where the connection ended without one."""

    status: int
    body: bytes
    seconds: float
    headers: dict = dataclasses.field(default_factory=dict)


class CommandFailed(LabError):
    """A command of the host ended with another exit code than 0; the message has its output."""


class Host:
    def __init__(self, lab, container, spec):
        self.lab = lab
        self.container = container
        self.spec = spec
        self.name = container.name
        self.address = container.address
        self.unit = spec.unit

    # Commands

    def run(self, command, check=True, input=None, timeout=COMMAND_SECONDS, user=None, environment=None):
        """Run an argv, or a string with the host's shell, to its end. With `check` another exit code than 0 raises."""
        with self.start(command, user=user, environment=environment, stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                data = input.encode() if isinstance(input, str) else input
                stdout, stderr = process.communicate(data, timeout=timeout)
            except BaseException as error:
                self.end(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise CommandFailed(f"{self.name}: {shown(command)}: not done after {timeout} s") from None
                raise
        result = Result(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"))
        if check and result.code != 0:
            raise CommandFailed(f"{self.name}: {shown(command)}: exit code {result.code}\n{result.output}")
        return result

    def salve(self, *words, check=False, timeout=COMMAND_SECONDS, input=None, environment=None):
        """Run salve with these arguments."""
        return self.run(["salve", *words], check=check, timeout=timeout, input=input, environment=environment)

    def start(self, command, user=None, environment=None, **options):
        """Start a command and return its Popen; to end it early, use `end`."""
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        return self.container.enter(argv, user=user, environment=environment, start_new_session=True, **options)

    def end(self, process):
        """SIGKILL what `start` has started, children included."""
        self.container.end(process)

    def attach(self, argv):
        """Run a command on the terminal of whoever called, and return its exit code."""
        return self.container.enter(argv).wait()

    # Files

    def read(self, path):
        return self.run(["cat", path]).stdout

    def write(self, path, text, mode=None, owner=None):
        """Write a file, through symbolic links and in place, as an editor would; folders are made."""
        self.run(["/bin/sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "write", path], input=text)
        if owner is not None:
            self.run(["chown", owner, path])
        if mode is not None:
            self.run(["chmod", f"{mode:o}", path])

    def exists(self, path):
        return self.run(["test", "-e", path], check=False).code == 0

    def install_tree(self, tree):
        """Put a tree as `DESTDIR=tree meson install` makes it on the host's file system, owned by root."""
        pack = ["tar", "-C", str(tree), "--owner=root:0", "--group=root:0", "-c", "."]
        if self.container.leader is None:
            unpack = subprocess.Popen(["tar", "-x", "--no-overwrite-dir", "--keep-directory-symlink", "-C",
                                       str(self.container.root)], stdin=subprocess.PIPE)
        else:
            unpack = self.start(["tar", "-x", "--no-overwrite-dir", "--keep-directory-symlink", "-C", "/"],
                                stdin=subprocess.PIPE)
        packed = subprocess.run(pack, stdout=unpack.stdin)
        unpack.stdin.close()
        if unpack.wait() != 0 or packed.returncode != 0:
            raise LabError(f"{self.name}: could not install the tree {tree}")

    def install_salve(self, source):
        """Install salve from a meson build directory, a DESTDIR tree, or just a program, which lands in /usr/bin."""
        source = pathlib.Path(source)
        if (source / "meson-info").is_dir():
            self.install_tree(self.lab.installed_tree(source))
        elif source.is_dir():
            self.install_tree(source)
        elif source.is_file():
            with tempfile.TemporaryDirectory(prefix="salve-lab-") as tree:
                os.makedirs(f"{tree}/usr/bin")
                os.link(source, f"{tree}/usr/bin/salve") if same_device(source, tree) else \
                    subprocess.run(["cp", str(source), f"{tree}/usr/bin/salve"], check=True)
                self.install_tree(tree)
        else:
            raise LabError(f"{source}: neither a meson build directory, nor an installed tree, nor a program")
        if self.container.leader is not None:
            self.run("systemctl daemon-reload")

    # The site

    def url(self, path="/", scheme="http"):
        """The address of the host's nginx as the test machine reaches it."""
        return f"{scheme}://{self.address}{path}"

    def get(self, path="/health/", timeout=30, host="site.test", port=80):
        """Ask the host's nginx from the test machine. Errors of the connection are an answer with status 0."""
        started = time.monotonic()
        if self.spec.nginx == "secure" and port == 80:
            context = ssl._create_unverified_context()  # of the host's own making
            connection = http.client.HTTPSConnection(self.address, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(self.address, port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": host, "Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
            return Response(answer.status, body, time.monotonic() - started, dict(answer.getheaders()))
        except (OSError, http.client.HTTPException) as error:
            return Response(0, repr(error).encode(), time.monotonic() - started)
        finally:
            connection.close()

    def wait_site(self, timeout=30):
        """Wait until the site answers (a request waits in the backlog for the first worker) and has all its workers."""
        answer = self.get("/health/", timeout=timeout)
        if answer.status != 200:
            raise LabError(f"{self.name}: the site does not answer: {answer}\n{self.journal(self.unit)[-3000:]}")
        invocation = self.show(self.unit, "InvocationID")
        self.wait_journal("Booting worker with pid", f"_SYSTEMD_INVOCATION_ID={invocation}", count=self.spec.workers)
        return self

    def knob(self, name, value=""):
        """Turn a knob of the application (see site/project/settings.py); None turns it back."""
        if value is None:
            self.run(["rm", "-f", f"{KNOBS}/{name}"])
        else:
            self.write(f"{KNOBS}/{name}", f"{value}\n")

    def deploy(self, release):
        """Make a copy of the current release the current one, by its symbolic link, as deploys do."""
        self.run(f"cp -a /srv/site/current/ /srv/site/releases/{release} && "
                 f"ln -sfn releases/{release} /srv/site/.current && mv -T /srv/site/.current /srv/site/current")

    # systemd

    def systemctl(self, *words, check=True):
        return self.run(["systemctl", *words], check=check).stdout

    def show(self, unit, name):
        """One property of a unit, as text."""
        return self.run(["systemctl", "show", "--value", "--property", name, unit]).stdout.strip()

    def journal(self, unit=None, *words):
        """The journal's messages, of one unit where named, all written lines included."""
        self.run(["journalctl", "--sync"])
        which = ["--unit", unit] if unit else []
        return self.run(["journalctl", "--no-pager", "--output=cat", *which, *words]).stdout

    def wait_journal(self, text, *words, count=1, timeout=30):
        """Wait until that many messages of the journal (narrowed by journalctl's words) hold the text; returns them."""
        found = []
        deadline = time.monotonic() + timeout
        argv = ["journalctl", "--follow", "--lines=all", "--output=cat", *words]
        with self.start(argv, stdout=subprocess.PIPE) as follow:
            try:
                rest = b""
                while wait_readable([follow.stdout], deadline - time.monotonic()):
                    data = os.read(follow.stdout.fileno(), 65536)
                    if not data:
                        raise LabError(f"{self.name}: journalctl ended with exit code {follow.wait()}")
                    *lines, rest = (rest + data).split(b"\n")
                    found += [line.decode(errors="replace") for line in lines if text.encode() in line]
                    if len(found) >= count:
                        return found
            finally:
                self.end(follow)
        raise LabError(f"{self.name}: {len(found)} of {count} messages with {text!r} after {timeout} s")

    def kernel_line(self, text):
        """Write a line as the kernel would, into the journal of a host with Spec(kernel_log=True).

        There is one kernel: every such host, of every lab, sees the line. Name this host's own cgroup or pid in it."""
        if not self.spec.kernel_log:
            raise LabError("kernel_line needs a host with Spec(kernel_log=True)")
        self.run('printf "<3>kernel: %s\\n" "$LINE" >/dev/kmsg', environment={"LINE": text})

    # The host as a whole

    def snapshot_state(self, paths=state.PATHS):
        return state.take(self, paths)

    def power_cut(self):
        """Everything on the host ends in this instant; then it boots again from its disk."""
        self.container.cut_power()
        self.container.boot()

    def reboot(self):
        """An orderly reboot."""
        self.container.shut_down()
        self.container.boot()

    def fill_disk(self, mountpoint):
        """Use up every byte of the file system mounted there (one of Spec.disks, or mount_small's)."""
        self.run(f"dd if=/dev/zero of={shlex.quote(mountpoint)}/.filled bs=64k; "
                 f"dd if=/dev/zero of={shlex.quote(mountpoint)}/.filled-rest bs=512; sync", check=False)

    def free_disk(self, mountpoint):
        self.run(["rm", "-f", f"{mountpoint}/.filled", f"{mountpoint}/.filled-rest"])

    def bind_mount(self, source, target):
        """Bind-mounts, and waits until systemd has its unit for it: it learns of mounts a moment later."""
        self.run(f"mount --bind {source} {target}")
        self.run(f"unit=$(systemd-escape --path --suffix=mount {target}); "
                 "until systemctl is-active --quiet $unit; do :; done", timeout=30)

    def mount_small(self, path, size="256k"):
        """A small tmpfs at a path of the running host, with what was there copied into it."""
        self.run(f"set -e; d=$(mktemp -d); cp -a {path}/. $d/; mount -t tmpfs -o size={size} small {path}; "
                 f"cp -a $d/. {path}/; rm -r $d")

    def remove(self):
        self.lab.remove(self)


def shown(command):
    return command if isinstance(command, str) else shlex.join(str(word) for word in command)


def same_device(path, directory):
    return os.stat(path).st_dev == os.stat(directory).st_dev
