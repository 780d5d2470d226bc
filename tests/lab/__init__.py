# SPDX-License-Identifier: Apache-2.0
"""The lab: real Debian hosts with systemd, nginx, Gunicorn and Django, booted in seconds, gone without a trace.

    with Lab() as lab:
        host = lab.boot(Spec(worker="gthread"))
        print(host.run("systemctl status gunicorn").stdout)

machine    what the machine underneath must offer, and processes by identity
root       the one Debian root that all hosts share, built once and cached
container  one booted system: overlay, network, cgroup, power switch
leftovers  which labs exist, and how one is removed, also a dead one's
lab        Lab: a private network of hosts, removed whatever happens
spec       Spec: what a host should be, as plain data
stack      the files that make a Spec true: units, nginx sites, the Django application
host       Host: what a test does with a booted host
state      a host's state as a whole, and the difference of two
playbooks  playbooks of the tests, with short windows
runs       runs of salve as tests look at them: events, exit code, the host before and after
steps      how the demonstration shows what it does
demo       the demonstration
"""

from .host import Host, Result
from .lab import Lab
from .machine import LabError
from .spec import Spec
from .state import State, diff_state

__all__ = ["Host", "Lab", "LabError", "Result", "Spec", "State", "diff_state"]
