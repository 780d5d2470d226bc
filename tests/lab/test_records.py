# SPDX-License-Identifier: Apache-2.0
"""What salve remembers of its runs, and what it tells of them."""

import json

import pytest

from lab import Spec, diff_state
from lab.playbooks import HEALTH, RESTART, TIMEOUT, align, gunicorn, nginx_timeout, playbook
from lab.runs import (FAILED, INVALID, KEPT, REFUSED, ROLLED_BACK, leftovers, master_argv, run, salve, salve_json,
                      start, untouched)

BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"
SITE = "/etc/nginx/sites-available/site"


def kept(host, *changes):
    ended = run(host, playbook(*(changes or (TIMEOUT, align()))))
    assert ended.code == KEPT, ended
    return ended


def test_a_rollback_is_a_run_of_its_own_back_to_before(boot):
    host = boot(BOTH)
    before, argv = host.snapshot_state(), master_argv(host)
    first = kept(host)
    back = salve(host, "rollback", "--yes", "--verify", "once")
    assert back.code == KEPT, back
    assert first.id in back.record["trigger"]
    assert diff_state(before, host.snapshot_state()) == []
    assert master_argv(host) == argv
    assert leftovers(host) == []
    states = [entry["state"] for entry in salve_json(host, "history")["runs"]]
    assert states == ["kept", "kept"]


def test_a_rollback_that_makes_things_worse_is_rolled_back_itself(boot):
    host = boot(BOTH)
    kept(host)
    host.knob("only-if", "timeout 2")
    host.knob("health-500")
    before = host.snapshot_state()
    back = salve(host, "rollback", "--yes")
    assert back.code == ROLLED_BACK, back
    assert diff_state(before, host.snapshot_state()) == []


def test_a_rollback_keeps_what_somebody_changed_since(boot):
    host = boot(BOTH)
    kept(host)
    host.run(f"echo 'backlog = 77' >>{CONFIG} && systemctl restart gunicorn")
    host.wait_site()
    back = salve(host, "rollback", "--yes", "--verify", "once")
    assert back.code == KEPT, back
    assert "backlog" not in host.read(CONFIG)
    assert "backlog = 77" in host.salve("show", "--diff", check=True).stdout


def test_only_what_was_kept_can_be_taken_back(boot):
    host = boot()
    assert salve(host, "rollback", "--yes").code != KEPT
    host.knob("health-500")
    run(host, playbook(TIMEOUT))
    ended = salve(host, "rollback", "--yes", "last")
    assert ended.code == REFUSED and ended.said("only a kept run"), ended


def test_the_record_of_a_run_says_what_happened_and_why(boot):
    host = boot(BOTH)
    ended = kept(host)
    shown = host.salve("show", ended.id[:-2], check=True).stdout
    for part in ("kept", "test", "verifying", "health", CONFIG, SITE):
        assert part in shown, shown
    diff = host.salve("show", "--diff", check=True).stdout
    for line in ("-timeout = 2", "+timeout = 5", "-        proxy_read_timeout 3s;", "+        proxy_read_timeout 10s;"):
        assert line in diff, diff
    data = salve_json(host, "show")
    assert data["run"] == ended.id and data["verification"].startswith("window 2s")
    assert {"health", "unit gunicorn.service"} <= {verdict["check"] for verdict in data["verdicts"]}
    assert len(data["samples"]) >= 3 and ended.id in host.salve("history", check=True).stdout


def test_status_tells_of_drift_from_the_last_known_good(boot):
    host = boot(BOTH)
    assert salve_json(host, "status")["last_good"] is None
    kept(host)
    assert salve_json(host, "status")["drift"] == []
    host.run(f"sed -i 's/timeout = 5/timeout = 50/' {CONFIG} && chmod 600 {SITE}")
    assert {edit["path"] for edit in salve_json(host, "status")["drift"]} == {CONFIG, SITE}
    assert "+timeout = 50" in host.salve("status", "--diff", check=True).stdout


def test_drift_is_measured_against_what_all_kept_runs_left(boot):
    host = boot(BOTH)
    kept(host, TIMEOUT)
    kept(host, nginx_timeout("7s"))
    assert salve_json(host, "status")["drift"] == []
    host.run(f"sed -i 's/timeout = 5/timeout = 50/' {CONFIG}")
    assert [edit["path"] for edit in salve_json(host, "status")["drift"]] == [CONFIG]
    assert "+timeout = 50" in host.salve("status", "--diff", check=True).stdout
    host.run(f"sed -i 's/timeout = 50/timeout = 5/' {CONFIG}")
    assert "none: 2 files" in host.salve("status", check=True).stdout
    back = salve(host, "rollback", "--yes", "--verify", "once")
    assert back.code == KEPT, back
    assert salve_json(host, "status")["drift"] == [], "what a rollback left is known to be good, too"


def test_a_hot_file_that_is_damaged_does_not_hide_how_the_host_stands(boot):
    host = boot(BOTH)
    first = kept(host)
    host.run("echo nonsense >/var/lib/salve/hot")
    told = host.salve("status", check=True).stdout
    assert "CANNOT BE TOLD" in told and "salve recover" in told and f"last good  run {first.id}" in told, told
    host.salve("recover", check=True)
    assert host.salve("status", check=True).stdout.startswith("idle")


def test_back_to_a_run_undoes_all_that_came_later_at_once(boot):
    host = boot(BOTH)
    first = kept(host, TIMEOUT)
    good, argv = host.snapshot_state(), master_argv(host)
    kept(host, nginx_timeout("7s"))
    last = kept(host, gunicorn(timeout="8s"), align())
    host.run(f"echo 'backlog = 77' >>{CONFIG} && systemctl restart gunicorn")
    host.wait_site()
    back = salve(host, "rollback", "--yes", "--verify", "once", "--to", first.id[:-3])
    assert back.code == KEPT, back
    assert back.record["trigger"] == f"back to {first.id}"
    assert diff_state(good, host.snapshot_state()) == [] and master_argv(host) == argv
    assert "backlog = 77" in host.salve("show", "--diff", check=True).stdout
    assert salve_json(host, "status")["drift"] == []
    forth = salve(host, "rollback", "--yes", "--verify", "once", "--to", last.id)
    assert forth.code == KEPT, forth
    assert "timeout = 8" in host.read(CONFIG) and "backlog" not in host.read(CONFIG)


def test_back_is_only_to_a_kept_run_whose_snapshots_are_there(boot):
    host = boot(BOTH)
    host.knob("health-500")
    bad = run(host, playbook(TIMEOUT))
    host.knob("health-500", None)
    with untouched(host):
        refused = salve(host, "rollback", "--yes", "--to", bad.id)
    assert refused.code == REFUSED and refused.said("only a kept run"), refused
    assert salve(host, "rollback", "--yes", "last", "--to", "last").code == INVALID
    first = kept(host, gunicorn(timeout="6s"))
    second = kept(host, nginx_timeout("7s"))
    host.run("mv /var/lib/salve/snapshots.git /root/ && git init --quiet --bare /var/lib/salve/snapshots.git && "
             "chmod 700 /var/lib/salve/snapshots.git")
    with untouched(host):
        gone = salve(host, "rollback", "--yes", "--to", first.id)
    assert gone.code == FAILED and gone.said("is gone"), gone
    assert second.id in host.salve("status", check=True).stdout


def test_secrets_are_in_no_output_and_the_state_is_roots_alone(boot):
    host = boot(Spec(settings="env"))
    ended = kept(host, TIMEOUT)
    outputs = [repr(ended), *(host.salve(*words.split(), check=True).output for words in
                              ("show --diff", "show --json --diff", "history", "status --json", "status --diff"))]
    for output in outputs:
        assert "lab-secret-key" not in output and "lab-database-password" not in output
    assert host.run("stat -c '%U %G %a' /var/lib/salve").stdout.split() == ["root", "root", "700"]
    assert host.run("find /var/lib/salve ! -user root").stdout == ""


def test_a_snapshot_can_be_read_with_git_alone(boot):
    host = boot(BOTH)
    ended = kept(host)
    git = "git -C /var/lib/salve/snapshots.git"
    assert ended.record["commit"] in host.run(f"{git} log --all --format=%H").stdout
    assert ended.id in host.run(f"{git} tag").stdout + host.run(f"{git} for-each-ref").stdout
    host.run(f"{git} fsck --strict")


LEDGER = "/var/lib/salve/ledger.db"
MEDDLE = """import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    db.execute(sys.argv[2])
"""


def verified(host):
    done = host.salve("history", "--verify", "--json")
    return done.code, json.loads(done.stdout)


def test_history_that_somebody_changed_is_told_with_the_place(boot):
    host = boot(BOTH)
    host.knob("health-500")
    runs = [run(host, playbook(gunicorn(timeout=timeout))) for timeout in ("5s", "6s")]
    host.knob("health-500", None)
    runs += [kept(host), salve(host, "rollback", "--yes", "--verify", "once")]
    refused = run(host, playbook(TIMEOUT, guards={"require": {"oom-kill": {}}}))
    assert [ended.code for ended in (*runs, refused)] == [ROLLED_BACK, ROLLED_BACK, KEPT, KEPT, REFUSED]
    code, report = verified(host)
    assert code == 0 and report["sound"] and report["runs"] == 4, report
    assert "4 runs, chain sound, from the beginning" in host.salve("history", "--verify", check=True).stdout

    lie = f"UPDATE runs SET state = 'kept' WHERE id = '{runs[1].id}'"
    host.run(["python3", "-c", MEDDLE, LEDGER, lie])
    code, report = verified(host)
    assert code == 1 and not report["sound"], report
    assert report["broken"] == {"link": 2, "run": runs[1].id,
                                "what": "the run is not as the link says: state changed"}
    assert host.salve("history", "--verify").code == 1
    host.run(["python3", "-c", MEDDLE, LEDGER, lie.replace("'kept'", "'rolled-back'")])
    assert verified(host)[0] == 0

    host.run(f"git -C /var/lib/salve/snapshots.git update-ref -d refs/runs/{runs[2].id}")
    code, report = verified(host)
    assert code == 1 and report["broken"]["run"] == runs[2].id and "missing" in report["broken"]["what"], report


def test_history_is_sound_after_a_run_that_was_killed(boot):
    host = boot(BOTH)
    host.knob("only-if", "timeout 5")
    with start(host, playbook(TIMEOUT, window="60s")) as carried:
        carried.wait_event(event="state", state="verifying")
        carried.signal("KILL")
        carried.end()
    host.salve("recover")
    code, report = verified(host)
    assert code == 0 and report["links"] == 1, report


def test_a_hold_ends_by_its_time_or_by_a_person(shared):
    host = shared()
    held = host.salve("hold", "--reason", "freeze", check=True)
    assert "salve release" in held.stdout
    assert "freeze" in host.salve("status", check=True).stdout
    assert "Released" in host.salve("release", check=True).stdout
    assert "was not held" in host.salve("release", check=True).stdout
    host.salve("hold", "--for", "1ms", check=True)
    with untouched(host):
        assert salve_json(host, "plan", "nginx-align") is not None
    assert salve_json(host, "status")["hold"] is None


def test_a_second_hold_says_what_it_replaces_and_asks(shared):
    host = shared()
    host.salve("hold", "--for", "1h", "--reason", "freeze", check=True)
    refused = host.salve("hold", "--reason", "mine")
    assert refused.code == REFUSED and "freeze" in refused.stderr and "--yes" in refused.stderr, refused
    assert salve_json(host, "status")["hold"]["reason"] == "freeze"
    replaced = host.salve("hold", "--reason", "mine", "--yes", check=True)
    assert "This replaces the hold of root" in replaced.stdout and "freeze" in replaced.stdout, replaced
    assert salve_json(host, "status")["hold"]["reason"] == "mine"
    host.salve("release", check=True)


def test_events_are_valid_json_lines_whatever_happens(shared):
    host = shared()
    ended = run(host, playbook(RESTART))
    assert ended.code == KEPT, ended
    assert [event["event"] for event in ended.events][-2:] == ["end", "record"]
    assert all("time" in event and "state" in event for event in ended.events[:-1])
    refused = run(host, playbook(TIMEOUT, guards={"require": {"oom-kill": {}}}))
    assert refused.code == REFUSED and refused.events[-1]["exit_status"] == REFUSED
    nothing = run(host, playbook(gunicorn(timeout="2s")))
    assert nothing.code == KEPT and nothing.events[-1]["nothing_to_do"] is True
    broken = run(host, json.dumps({"salve": 1}))
    assert broken.code == 2 and broken.events


@pytest.mark.parametrize("words", [("history",), ("show",), ("status",), ("list",), ("diagnose",), ("schema",)])
def test_reading_commands_print_one_json_object(shared, words):
    host = shared()
    if words == ("show",):
        run(host, playbook(RESTART, checks=(HEALTH,)))
    assert isinstance(salve_json(host, *words), dict)


def test_plain_lines_tell_the_story_of_a_run(shared):
    host = shared()
    path = "/root/playbooks/test.yaml"
    run(host, playbook(RESTART))
    done = host.salve("run", "--yes", path)
    assert done.code == KEPT, done
    assert "\033" not in done.stdout and "verifying" in done.stdout and "next: salve show" in done.stdout
    assert "kept: restarted, and well since; nothing to undo" in done.stdout and "salve rollback" not in done.stdout
    quiet = host.salve("-q", "run", "--yes", path)
    assert quiet.code == KEPT and len(quiet.stdout) < len(done.stdout)


def test_old_runs_are_forgotten_with_their_snapshots_and_history_stays_sound(boot):
    host = boot(BOTH)
    first = kept(host)
    assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    second = kept(host, gunicorn(timeout="7s"))

    unit = f"salve-run-{second.id}.service"  # its end would prune as well
    host.run(f"while systemctl list-units --all --plain --no-legend {unit} | grep .; do :; done", timeout=20)
    host.write("/etc/salve/salve.yaml", "keep: {runs: 2, days: never}\n")
    pruned = salve(host, "history", "--prune")
    assert pruned.code == 0 and pruned.events[-1]["pruned_runs"] == 1, pruned
    assert first.id not in host.salve("history", "--all", check=True).stdout
    git = "git -C /var/lib/salve/snapshots.git"
    assert first.id not in host.run(f"{git} for-each-ref").stdout
    assert host.run(f"{git} fsck --strict --unreachable --no-reflogs").stdout == ""
    code, report = verified(host)
    assert code == 0 and report["checkpoint"]["pruned_runs"] == 1, report
    assert "from the checkpoint at link" in host.salve("history", "--verify", check=True).stdout

    kept(host, gunicorn(timeout="8s"))
    kept(host, gunicorn(timeout="9s"))  # and nobody has to ask for it
    host.run(f"while salve history --all | grep {second.id}; do :; done", timeout=20)
    assert verified(host)[0] == 0
    assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    assert "timeout = 8" in host.read(CONFIG)


def test_rolling_back_twice_does_not_bring_the_change_back(boot):
    host = boot(BOTH)
    before = host.snapshot_state()
    kept(host)
    assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    again = salve(host, "rollback", "--yes", "--verify", "once")
    assert again.code == FAILED and again.said("no change that was kept on this host stands"), again
    assert diff_state(before, host.snapshot_state()) == []
