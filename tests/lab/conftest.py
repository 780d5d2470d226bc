# SPDX-License-Identifier: Apache-2.0
"""pytest's side of the lab.

    def test_something(boot):
        host = boot(Spec(worker="gthread"))

`boot` gives each test hosts of its own, with salve installed from --salve (or from what tests/run built), and removes
them afterwards; `boot_for_module` does so once for a whole file, for tests that only read; `shared` gives a host that
another test of the file may have had, as long as it was left as it was. With `salve=False` the host comes without
salve. Where a test fails, the journal of its hosts is part of the report.
"""

import json

import pytest

from lab import Lab, Spec, diff_state
from lab.host import KNOBS
from lab.machine import BUILD

LOGS = {"journal": "journalctl --no-pager --output=cat", "nginx's log": "cat /var/log/nginx/error.log"}
LAST_LINES = 60


def pytest_addoption(parser):
    built = BUILD / "gcc"
    parser.addoption("--salve", default=built if built.is_dir() else None, metavar="PATH",
                     help="what to install on the hosts: a meson build directory, a DESTDIR tree or a program")
    parser.addoption("--kills", default="4", metavar="N", help="how many points of each kind test_kills.py tries; all")
    parser.addoption("--verdicts", default="2", metavar="N",
                     help="how many slowdowns test_verdicts.py makes, and thrice as many healthy changes")
    parser.addoption("--seed", type=int, metavar="NUMBER", help="which points it tries")


@pytest.fixture(scope="session")
def lab():
    """The private network that all hosts of this process live in."""
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def salve_path(pytestconfig):
    """What is installed on hosts that get salve."""
    path = pytestconfig.getoption("--salve")
    if not path:
        pytest.fail("this test needs salve: give --salve PATH or build with tests/run")
    return path


def hosts_of(request, lab):
    hosts = []

    def boot(spec=Spec(), name=None, salve=True):
        path = request.getfixturevalue("salve_path") if salve else None
        hosts.append(lab.boot(spec, name=name, salve=path))
        if spec.gunicorn and spec.nginx != "none":
            hosts[-1].wait_site()
        return hosts[-1]

    yield boot
    for host in hosts:
        if host in lab.hosts:
            host.remove()


@pytest.fixture
def boot(request, lab):
    """A function that boots a host for this test: boot(Spec(...))."""
    yield from hosts_of(request, lab)


@pytest.fixture(scope="module")
def boot_for_module(request, lab):
    """The same, for hosts that live as long as the file's tests; nothing may change them."""
    yield from hosts_of(request, lab)


class Shared:
    """Hosts that the tests of one file share, one for each Spec: most runs leave their host as it was, which is what
    their tests are about. A host that a test has left changed is replaced by a new one."""

    def __init__(self, boot):
        self.boot = boot
        self.hosts = {}
        self.given = []

    def __call__(self, spec=Spec()):
        if spec not in self.hosts:
            host = self.boot(spec)
            self.hosts[spec] = host, host.snapshot_state()
        host, _ = self.hosts[spec]
        self.given.append(spec)
        return host

    def take_back(self):
        for spec in set(self.given):
            host, before = self.hosts[spec]
            host.run(f"find {KNOBS} -type f ! -name report-seconds -delete", check=False)
            if diff_state(before, host.snapshot_state()) or stuck_or_held(host):
                del self.hosts[spec]
                host.remove()
            else:
                forget_failures(host)
        self.given.clear()


def stuck_or_held(host):
    """Whether salve on that host waits for a person."""
    status = host.salve("status", "--json")
    report = json.loads(status.stdout) if status.code == 0 else {"hold": "unknown"}
    return bool(report["hold"] or report["unfinished"] or report["hot"])


def forget_failures(host):
    """A plan that one test lets fail is not in quarantine for the next one."""
    status = host.salve("status", "--json")
    if status.code == 0 and json.loads(status.stdout)["quarantine"]:
        host.run("rm -rf /var/lib/salve")


@pytest.fixture(scope="module")
def shared_hosts(boot_for_module):
    return Shared(boot_for_module)


@pytest.fixture
def shared(shared_hosts):
    """As boot, for tests whose host may have been another test's of the same file."""
    yield shared_hosts
    shared_hosts.take_back()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed and "lab" in getattr(item, "funcargs", {}):
        for host in item.funcargs["lab"].hosts:
            if host.container.leader is not None:
                report.sections += [(f"{title} of {host.name}", last_lines(host, command))
                                    for title, command in LOGS.items()]


def last_lines(host, command):
    return host.run(f"{command} | tail -n {LAST_LINES}", check=False).stdout
