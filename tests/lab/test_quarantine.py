# SPDX-License-Identifier: Apache-2.0
"""What a change did to a host once, it is not allowed to do again by itself: quarantine (promise 8)."""

from lab import Spec
from lab.playbooks import HEALTH, SERVICE, TIMEOUT, WORKER_TIMEOUTS, gunicorn, http, playbook
from lab.runs import KEPT, REFUSED, ROLLED_BACK, hide_journal, refusal, restored, run, salve, salve_json, start

FILE = Spec(settings="file")
CONFIG = "/etc/site/gunicorn.conf.py"
LONG = playbook(TIMEOUT, window="60s")


def spoil(host, setting="timeout 5"):
    """Let the site be sick while Gunicorn runs with the new setting."""
    host.knob("only-if", setting)
    host.knob("health-500")


def cure(host):
    host.knob("health-500", None)


def rolled_back(host, text, *words):
    with restored(host):
        ended = run(host, text, *words)
    assert ended.code == ROLLED_BACK, ended
    return ended


def quarantine(host):
    return [entry["run"] for entry in salve_json(host, "status")["quarantine"]]


def test_what_its_checks_rolled_back_is_not_tried_again_until_a_person_says_force(boot):
    host = boot(FILE)
    spoil(host)
    first = rolled_back(host, playbook(TIMEOUT))
    again = refusal(host, playbook(TIMEOUT))
    assert again.said(first.id) and again.said("--force") and again.said("health"), again
    assert len(salve_json(host, "history")["runs"]) == 1, "a refusal before anything began leaves no record"
    assert quarantine(host) == [first.id]
    told = host.salve("status", check=True).stdout
    assert "quarantine test, rolled back" in told and first.id in told and "--force" in told, told

    forced = rolled_back(host, playbook(TIMEOUT), "--force")
    assert forced.said(f"tried again with --force, though run {first.id}"), forced
    assert quarantine(host) == [forced.id]

    cure(host)
    assert run(host, playbook(TIMEOUT)).code == REFUSED
    kept = run(host, playbook(TIMEOUT), "--force")
    assert kept.code == KEPT, kept
    assert quarantine(host) == []


def test_changed_inputs_are_another_plan(boot):
    host = boot(FILE)
    spoil(host)
    rolled_back(host, playbook(TIMEOUT))
    other_value = run(host, playbook(gunicorn(timeout="6s")))
    assert other_value.code == KEPT, other_value
    assert salve(host, "rollback", "--yes", "--verify", "once").code == KEPT
    refusal(host, playbook(TIMEOUT))
    rolled_back(host, playbook(TIMEOUT, checks=(http("health", limit="900ms"), SERVICE)))
    host.run(f"echo '# a person was here' >>{CONFIG}")
    rolled_back(host, playbook(TIMEOUT), "--accept-pending")
    assert len(quarantine(host)) == 3


def test_a_service_that_does_not_stay_up_is_held_against_the_plan(boot):
    host = boot(FILE)
    host.knob("only-if", "timeout 5")
    host.knob("master-dies", 2)
    text = playbook(TIMEOUT, settle="4s")
    first = rolled_back(host, text)
    assert first.said("did not stay up") and first.record["blamed"] is True, first
    refusal(host, text)


def test_what_was_cancelled_is_not_held_against_the_plan(boot):
    host = boot(FILE)
    with restored(host):
        with start(host, LONG) as carried:
            carried.wait_event(event="state", state="verifying")
            carried.signal("INT")
            ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
    assert quarantine(host) == []
    with start(host, LONG) as carried:
        carried.wait_event(event="state", state="verifying")
        carried.signal("INT")
        assert carried.end().code == ROLLED_BACK


def test_a_check_that_failed_before_as_well_is_not_held_against_the_plan(boot):
    host = boot(FILE)
    host.knob("health-500")
    patient = playbook(TIMEOUT, checks=(http("health", limit="9s", failure_limit=0), SERVICE))
    ended = rolled_back(host, patient)
    assert not quarantine(host), ended
    cure(host)
    assert run(host, patient).code == KEPT


def test_what_could_not_be_observed_is_not_held_against_the_plan(boot):
    host = boot(FILE)
    hide_journal(host)
    text = playbook(TIMEOUT, checks=(HEALTH, WORKER_TIMEOUTS))
    ended = rolled_back(host, text)
    assert "blind" in ended.verdicts().values(), ended
    assert quarantine(host) == []
    rolled_back(host, text)


def test_a_rollback_that_its_checks_rolled_back_is_in_quarantine_as_well(boot):
    host = boot(FILE)
    assert run(host, playbook(TIMEOUT)).code == KEPT
    spoil(host, "timeout 2")
    back = salve(host, "rollback", "--yes")
    assert back.code == ROLLED_BACK, back
    again = salve(host, "rollback", "--yes")
    assert again.code == REFUSED and again.said(back.id), again
    cure(host)
    assert salve(host, "rollback", "--yes", "--force").code == KEPT


def test_a_systemd_that_could_not_be_reached_is_not_held_against_the_plan(boot):
    host = boot(FILE)
    host.knob("import-delay", "2")
    with restored(host):
        with start(host, LONG, "--foreground") as carried:
            carried.wait_event(event="step", text="restart")
            host.run("mv /run/systemd/private /run/systemd/hidden; mv /run/dbus/system_bus_socket /run/dbus/hidden; "
                     "pkill -x dbus-daemon")
            ended = carried.end()
        assert ended.record["state"] == "restored", ended
        host.knob("import-delay", None)
        host.run("mv /run/systemd/hidden /run/systemd/private; mv /run/dbus/hidden /run/dbus/system_bus_socket; "
                 "systemctl start dbus")
        host.salve("recover", check=True)
    record = salve_json(host, "history")["runs"][0]
    assert record["state"] == "rolled-back" and not record["blamed"], record
    assert quarantine(host) == []
