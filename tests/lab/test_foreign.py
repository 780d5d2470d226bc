# SPDX-License-Identifier: Apache-2.0
"""What somebody else writes to a file of a run is never lost, and never silently replaced."""

import pytest

from lab import Spec
from lab.playbooks import TIMEOUT, align, playbook
from lab.runs import REFUSED, ROLLED_BACK, leftovers, restored, salve_json, start

BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"
SITE = "/etc/nginx/sites-available/site"
CHANGE = playbook(TIMEOUT, align())
SLOW_IMPORT = "1.5"  # seconds in which gunicorn --check-config judges the candidate, and a test can write


def spoil(host):
    """The new timeout makes the site sick."""
    host.knob("only-if", "timeout 5")
    host.knob("health-500")


def append(host, path, line):
    """In place, as an editor or a script would."""
    host.run(["/bin/sh", "-c", f'echo "{line}" >>{path}'])


def run_with_edit(host, path, line, state):
    with start(host, CHANGE) as carried:
        carried.wait_event(event="state", state=state)
        append(host, path, line)
        return carried.end()


@pytest.mark.parametrize("path, other", [(CONFIG, SITE), (SITE, CONFIG)], ids=["config", "site"])
def test_a_file_that_changes_before_it_is_exchanged_refuses_the_run_and_stays(boot, path, other):
    host = boot(BOTH)
    host.knob("import-delay", SLOW_IMPORT)
    before, untouched, started = host.read(path), host.read(other), host.show("gunicorn", "InvocationID")
    ended = run_with_edit(host, path, "# by hand", "snapshotted")
    assert ended.code == REFUSED and path in ended.reason, ended
    assert ended.states()[-3:] == ["rolling-back", "restored", "refused"], ended
    assert host.read(path) == before + "# by hand\n"
    assert host.read(other) == untouched
    assert host.show("gunicorn", "InvocationID") == started, "nothing was to be restarted"
    assert leftovers(host) == []


def test_a_file_that_is_changed_during_the_run_stays_where_the_host_is_well_with_it(boot):
    host = boot(BOTH)
    spoil(host)
    config = host.read(CONFIG)
    ended = run_with_edit(host, SITE, "# by hand", "activating")
    assert ended.code == ROLLED_BACK and f"conflict: {SITE}" in ended.reason, ended
    assert host.read(CONFIG) == config
    assert "# by hand" in host.read(SITE) and "proxy_read_timeout 10s;" in host.read(SITE)
    assert leftovers(host) == []
    assert host.get("/health/").status == 200
    conflict, = salve_json(host, "show")["conflicts"]
    assert conflict["path"] == SITE and conflict["bring_back"] in host.salve("show").stdout
    theirs = host.read(SITE)
    host.write(SITE, "# lost\n")
    host.run(conflict["bring_back"])
    assert host.read(SITE) == theirs


def test_a_file_that_somebody_breaks_during_the_run_is_restored_and_theirs_is_kept(boot):
    host = boot(BOTH)
    spoil(host)
    with restored(host):
        ended = run_with_edit(host, SITE, "prxy_pass nowhere;", "activating")
    assert ended.code == ROLLED_BACK, ended
    conflict, = salve_json(host, "show")["conflicts"]
    host.run(conflict["bring_back"])
    assert "prxy_pass nowhere;" in host.read(SITE)


def test_a_file_with_which_the_host_stays_sick_is_restored_after_all(boot):
    host = boot(BOTH)
    spoil(host)
    with restored(host):  # their line stands below the new timeout, which makes the site sick
        ended = run_with_edit(host, CONFIG, "backlog = 77", "activating")
    assert ended.code == ROLLED_BACK, ended
    warning = next(text for text in ended.texts("warning") if "changed by somebody else" in text)
    host.run(warning[warning.index("git -C"):])
    assert "backlog = 77" in host.read(CONFIG)


def test_a_file_that_somebody_removes_during_the_run_is_back(boot):
    host = boot(BOTH)
    spoil(host)
    with restored(host), start(host, CHANGE) as carried:
        carried.wait_event(event="state", state="activating")
        host.run(["rm", SITE])
        ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
