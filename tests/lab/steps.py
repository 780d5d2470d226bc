# SPDX-License-Identifier: Apache-2.0
"""How a demonstration shows what it does: numbered steps, the commands as a person would type them, their output.

Colour only on a terminal and without NO_COLOR. `expect` ends the demonstration where the host does not do what was
announced, so that a demonstration that reaches its end has shown what it says.
"""

import os
import sys
import time

from .host import shown
from .machine import LabError

BOLD, DIM, GREEN, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


class Steps:
    def __init__(self, out=None):
        self.out = out or sys.stdout
        self.colour = self.out.isatty() and not os.environ.get("NO_COLOR")
        self.number = 0
        self.started = time.monotonic()

    def paint(self, colour, text):
        return f"{colour}{text}{PLAIN}" if self.colour else text

    def print(self, text=""):
        print(text, file=self.out, flush=True)

    def step(self, text):
        """Announce the next step."""
        self.number += 1
        self.print()
        self.print(self.paint(BOLD, f"{self.number}. {text}"))

    def note(self, text):
        self.print(f"   {text}")

    def command(self, host, command, check=False, timeout=300, last=None):
        """Show a command as it is typed on the host, run it, show its output (the `last` lines), return its Result."""
        self.print(self.paint(DIM, f"   {host.name}# ") + shown(command))
        result = host.run(command, check=check, timeout=timeout)
        lines = result.output.rstrip("\n").splitlines()
        for line in lines[-last:] if last else lines:
            self.print(f"   {self.paint(DIM, '|')} {line}")
        if result.code != 0:
            self.print(f"   {self.paint(DIM, f'exit code {result.code}')}")
        return result

    def live(self, host, argv):
        """Run a command on this very terminal, for output that moves; returns its exit code."""
        self.print(self.paint(DIM, f"   {host.name}# ") + shown(argv))
        return host.attach(argv)

    def expect(self, true, text):
        """State what has just been seen; end the demonstration if it was not."""
        if not true:
            self.print(f"   {self.paint(RED, 'not as announced:')} {text}")
            raise LabError(f"step {self.number}: not seen: {text}")
        self.print(f"   {self.paint(GREEN, 'seen:')} {text}")

    def seconds(self):
        return time.monotonic() - self.started
