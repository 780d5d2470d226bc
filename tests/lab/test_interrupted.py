# SPDX-License-Identifier: Apache-2.0
"""Whoever interrupts a run, the host is wholly old or wholly new; and one run happens at a time."""

import pytest

from lab import Spec
from lab.playbooks import TIMEOUT, align, playbook
from lab.runs import (BUSY, KEPT, REFUSED, ROLLED_BACK, STUCK, leftovers, master_argv, restored, run, salve, salve_json,
                      settle, start, untouched)

LONG = playbook(TIMEOUT, align(), window="60s")
BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"


def spoil(host):
    host.knob("only-if", "timeout 5")
    host.knob("health-500")


def killed_in_the_window(host):
    """A run that has changed the host, and that nobody carries any more: none of systemd's roads finishes it."""
    with start(host, LONG, "--foreground") as carried:
        carried.wait_event(event="state", state="verifying")
        carried.signal("KILL")
        carried.end()


# Two at once.

def test_a_second_run_is_told_who_is_at_work(shared):
    host = shared()
    with restored(host), start(host, LONG) as first:
        first.wait_event(event="state", state="verifying")
        second = run(host, playbook(TIMEOUT))
        assert second.code == BUSY, second
        assert second.said("run test"), second
        assert "run test" in str(salve_json(host, "status")["lock"])
        assert host.salve("history").code == 0 and host.salve("show").code == 0
        first.signal("INT")
        assert first.end().code == ROLLED_BACK


def test_a_deploy_can_lock_salve_out(shared):
    host = shared()
    done = host.salve("lock", "--", "salve", "run", "--yes", "restart-stuck")
    assert done.code == BUSY, done
    assert host.salve("lock", "--", "sh", "-c", "exit 7").code == 7


# Cancelled.

@pytest.mark.parametrize("name, words", [("INT", []), ("TERM", []), ("INT", ["--foreground"]),
                                         ("TERM", ["--foreground"]), ("HUP", ["--foreground"])])
def test_a_run_that_is_cancelled_in_the_window_is_put_back(shared, name, words):
    host = shared(BOTH)
    with restored(host):
        with start(host, LONG, *words) as carried:
            carried.wait_event(event="state", state="verifying")
            carried.signal(name)
            ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
    assert "cancelled" in ended.reason


def test_a_run_that_is_cancelled_before_it_touched_anything_is_refused(shared):
    host = shared()
    host.knob("request-delay", 900)
    with untouched(host):
        with start(host, LONG) as carried:
            carried.wait_event(event="state", state="baselining")
            carried.signal("INT")
            ended = carried.end()
    assert ended.code == REFUSED, ended


# Killed.

def test_the_next_command_that_writes_finishes_what_was_killed(shared):
    host = shared(BOTH)
    with restored(host):
        killed_in_the_window(host)
        assert "--timeout 5" in master_argv(host) or "timeout = 5" in host.read(CONFIG)
        assert salve_json(host, "status")["hot"], "a killed run is not reported"
        assert "salve recover" in host.salve("status").stdout
        ended = salve(host, "hold")
        assert ended.said("was interrupted"), ended
        host.salve("release", check=True)
    assert salve_json(host, "history")["runs"][0]["state"] == "rolled-back"


def test_a_run_that_was_killed_before_it_touched_anything_leaves_nothing(shared):
    host = shared(BOTH)
    with untouched(host):
        with start(host, LONG, "--foreground") as carried:
            carried.wait_event(event="state", state="snapshotted")
            carried.signal("KILL")
            carried.end()
        host.salve("recover", check=True)


def durable_operations(host):
    """What a run of BOTH writes where it is not the first one, in order, by name and path."""
    for environment in ({}, {"SALVE_FAULT": "count:/root/points"}):
        assert run(host, playbook(TIMEOUT, align()), environment=environment).code == KEPT
        assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    return [line.split(maxsplit=2)[1:] for line in host.read("/root/points").splitlines()]


def test_a_run_that_is_killed_between_two_files_is_wholly_old_afterwards(boot):
    host = boot(BOTH)
    points = durable_operations(host)
    hot = points.index(["rename", "/var/lib/salve/hot"])  # before it, exchanges are only tried out
    exchanges = [number for number, (name, _) in enumerate(points, 1) if name == "exchange" and number > hot]
    assert len(exchanges) == 2, points
    for number in exchanges:
        with restored(host):
            killed = run(host, playbook(TIMEOUT, align()), "--foreground",
                         environment={"SALVE_FAULT": f"{number}:kill"})
            assert killed.code != KEPT, killed
            assert leftovers(host), "nothing was under way"
            host.salve("recover", check=True)
        assert salve_json(host, "history")["runs"][0]["state"] == "rolled-back"


def test_a_power_cut_in_the_window_is_recovered_from(boot):
    host = boot(BOTH)
    before = host.read(CONFIG)
    with start(host, LONG) as carried:
        carried.wait_event(event="state", state="verifying")
        host.power_cut()
    host.wait_site()
    settle(host)
    assert host.read(CONFIG) == before
    assert "proxy_read_timeout 3s;" in host.read("/etc/nginx/sites-available/site")
    assert leftovers(host) == []


# Stuck.

def test_a_rollback_that_cannot_put_a_file_back_is_stuck_until_a_person_looked(boot):
    host = boot(Spec(settings="file"))
    spoil(host)
    with restored(host):
        with start(host, playbook(TIMEOUT)) as carried:
            carried.wait_event(event="state", state="activating")
            host.run(["chattr", "+i", CONFIG])
            ended = carried.end()
        assert ended.code == STUCK and ended.record["state"] == "stuck", ended
        assert CONFIG in ended.reason, ended

        blocked = run(host, playbook(TIMEOUT))
        assert blocked.code == STUCK, blocked
        assert blocked.said(ended.id) and blocked.said("salve recover --again"), blocked
        assert ended.id in host.salve("status").stdout

        assert salve(host, "recover", "--again").code == STUCK, "it is still immutable"
        host.run(["chattr", "-i", CONFIG])
        again = salve(host, "recover", "--again")
        assert again.code == ROLLED_BACK, again
    host.knob("health-500", None)
    assert run(host, playbook(TIMEOUT), "--force").code == KEPT


def test_a_service_that_cannot_start_again_is_stuck_until_it_is_repaired(boot):
    host = boot()
    spoil(host)
    with restored(host):
        with start(host, playbook(TIMEOUT)) as carried:
            carried.wait_event(event="state", state="verifying")
            host.knob("import-fails")
            host.knob("only-if", None)
            ended = carried.end()
        assert ended.code == STUCK, ended
        assert run(host, playbook(TIMEOUT)).code == STUCK
        host.knob("import-fails", None)
        host.knob("health-500", None)
        assert salve(host, "recover", "--again").code == ROLLED_BACK


def test_a_person_who_put_the_host_right_acknowledges_it(boot):
    host = boot()
    spoil(host)
    with start(host, playbook(TIMEOUT)) as carried:
        carried.wait_event(event="state", state="verifying")
        host.knob("import-fails")
        host.knob("only-if", None)
        assert carried.end().code == STUCK
    host.knob("import-fails", None)
    host.knob("health-500", None)
    host.systemctl("restart", "gunicorn")
    assert "acknowledged" in host.salve("recover", "--acknowledge", check=True).stdout
    assert run(host, playbook(TIMEOUT), "--force").code == KEPT


def test_a_recovery_that_always_dies_is_given_up_for_a_person(boot):
    host = boot(BOTH)
    with restored(host):
        killed_in_the_window(host)
        for attempt in range(1, 6):
            died = host.salve("recover", environment={"SALVE_FAULT": "exchange:kill"})
            assert died.code == -9, died
            assert salve_json(host, "status")["hot"]["attempts"] == attempt
        given_up = host.salve("recover")
        assert given_up.code == STUCK and "5 attempts" in given_up.stderr, given_up
        assert "salve recover --again" in host.wait_journal("is stuck", "--identifier=salve")[0]
        assert salve(host, "recover", "--again").code == ROLLED_BACK


def test_a_ledger_that_is_damaged_while_a_run_is_hot_is_made_anew_and_the_run_is_put_back(boot):
    host = boot(BOTH)
    assert run(host, playbook(TIMEOUT, align())).code == KEPT
    assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    ids = [record["run"] for record in salve_json(host, "history")["runs"]]
    with restored(host):
        killed_in_the_window(host)
        host.run("rm -f /var/lib/salve/ledger.db-*; dd if=/dev/urandom of=/var/lib/salve/ledger.db bs=4096 count=4 conv=notrunc")
        recovered = salve(host, "recover")
        assert recovered.code == 0 and recovered.said("3 runs were recorded anew"), recovered
    runs = salve_json(host, "history")["runs"]
    assert [record["run"] for record in runs][-2:] == ids and [record["state"] for record in runs][-2:] == ["kept", "kept"]
    assert "rolled-back" in [record["state"] for record in runs], runs
    assert run(host, playbook(TIMEOUT, align())).code == KEPT


@pytest.mark.parametrize("damage", ["find /var/lib/salve/snapshots.git/objects -type f -exec dd if=/dev/zero of={} bs=64 count=1 ';'",
                                    "rm -rf /var/lib/salve/snapshots.git/HEAD /var/lib/salve/snapshots.git/objects",
                                    "rm -rf /var/lib/salve/snapshots.git"], ids=["zeroed", "headless", "gone"])
def test_a_run_whose_snapshots_are_lost_is_put_back_from_the_originals_beside_the_files(boot, damage):
    host = boot(BOTH)
    with restored(host):
        killed_in_the_window(host)
        host.run(damage, check=False)
        recovered = salve(host, "recover")
        assert recovered.code == 0 and recovered.said("the originals beside the files"), recovered
    assert salve_json(host, "history")["runs"][0]["state"] == "rolled-back"
    assert leftovers(host) == []


def test_what_cannot_be_put_back_any_more_is_stuck_and_says_where_the_originals_lie(boot):
    host = boot(BOTH)
    killed_in_the_window(host)
    host.run("rm -rf /var/lib/salve/snapshots.git; sed -i s/^/#/ /etc/site/.*.salve-*")
    assert salve(host, "recover").code != 0
    reason = salve_json(host, "history")["runs"][0]["reason"]
    found = host.run(reason[reason.index("find "):]).stdout.split()
    assert [name.partition(".salve-")[0] for name in sorted(found)] == ["/etc/nginx/sites-available/.site", "/etc/site/.gunicorn.conf.py"]


def test_a_bus_that_is_restarted_during_a_run_stops_nothing(boot):
    host = boot(BOTH)
    spoil(host)
    with restored(host), start(host, LONG) as carried:
        carried.wait_event(event="state", state="activating")
        host.systemctl("restart", "dbus")
        ended = carried.end()
    assert ended.code == ROLLED_BACK and "health" in ended.reason, ended


def test_a_state_directory_that_was_opened_to_others_does_not_keep_a_run_from_its_recovery(boot):
    host = boot(BOTH)
    with restored(host):
        killed_in_the_window(host)
        host.run("chmod 0755 /var/lib/salve /var/lib/salve/snapshots.git")
        host.salve("recover", check=True)
        assert host.run("stat -c %a /var/lib/salve /var/lib/salve/snapshots.git").stdout.split() == ["700", "700"]
    host.run("chmod 0755 /var/lib/salve")
    assert run(host, playbook(TIMEOUT)).code == REFUSED, "nothing is hot: a person should look first"


def test_what_a_run_left_and_cannot_be_removed_blocks_until_a_person_says_otherwise(boot):
    host = boot(BOTH)
    points = durable_operations(host)
    number = max(number for number, (name, path) in enumerate(points, 1) if name == "remove" and path.startswith("/etc/"))
    run(host, playbook(TIMEOUT, align()), "--foreground", environment={"SALVE_FAULT": f"{number}:kill"})
    [left] = [path for path in leftovers(host) if not path.endswith("/hot")]
    host.run(["chattr", "+i", left])
    for _ in range(2):
        recovered = salve(host, "recover")
        assert recovered.code == REFUSED and recovered.said("salve recover --acknowledge"), recovered
        assert recovered.said("Operation not permitted"), recovered
    refused = run(host, playbook(TIMEOUT))
    assert refused.code == REFUSED and refused.said("cannot be removed"), refused
    assert salve(host, "recover", "--acknowledge").code == 0
    assert leftovers(host) == [left]
    assert salve(host, "recover").said("no interrupted run")
    assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    host.run(["chattr", "-i", left])
