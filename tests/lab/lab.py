# SPDX-License-Identifier: Apache-2.0
"""Lab: a private network with hosts on it, removed whatever happens.

It is left by the `with` statement's end, also when a signal or an exception ends it, and by atexit. Only SIGKILL
leaves something, which the next lab removes (see leftovers). Two labs can exist at the same time.
"""

import atexit
import signal
import threading

from . import leftovers, machine
from .container import Container
from .host import Host
from .root import ready_root
from .spec import Spec
from .stack import install_stack


class Lab:
    def __init__(self):
        self.number = None
        self.hosts = []
        self.booted = 0
        self.lower = None
        self.old_handlers = {}
        self.trees = {}

    def __enter__(self):
        machine.require()
        machine.allow_many_hosts()
        self.lower = ready_root()
        self.catch_signals()
        atexit.register(self.close)
        self.number = leftovers.claim_lab()
        bridge = f"salve-{self.number}"
        machine.command("ip", "-batch", "-", input=f"link add {bridge} type bridge\n"
                                                   f"address add 10.213.{self.number}.1/24 dev {bridge}\n"
                                                   f"link set {bridge} up\n")
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.number is not None:
            leftovers.release_lab(self.number)
            self.number = None
            self.hosts.clear()
            self.trees.clear()
            atexit.unregister(self.close)
            self.restore_signals()

    def boot(self, spec=Spec(), name=None, salve=None):
        """A booted host as `spec` says; with `salve` (a build directory, an installed tree) that is on it as well."""
        self.booted += 1
        container = Container(self.number, name or f"web{self.booted}", self.booted, self.lower)
        container.kernel_log = spec.kernel_log
        host = Host(self, container, spec)
        self.hosts.append(host)
        install_stack(container, spec)
        if salve is not None:
            host.install_salve(salve)
        container.boot()
        return host

    def remove(self, host):
        self.hosts.remove(host)
        host.container.remove()

    def installed_tree(self, build):
        """What `meson install` puts in place from a build directory, made once a lab."""
        if build not in self.trees:
            tree = leftovers.STORAGE / str(self.number) / f"tree-{len(self.trees)}"
            machine.command("meson", "install", "-C", str(build), "--no-rebuild", "--quiet", "--destdir", str(tree))
            self.trees[build] = tree
        return self.trees[build]

    def catch_signals(self):
        """Let the signals that would end the process end the `with` statement first."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGHUP):
            self.old_handlers[number] = signal.signal(number, raise_exit)

    def restore_signals(self):
        for number, handler in self.old_handlers.items():
            signal.signal(number, handler)
        self.old_handlers.clear()


def raise_exit(number, _frame):
    raise SystemExit(128 + number)
