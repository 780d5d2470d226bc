# SPDX-License-Identifier: Apache-2.0
"""Each way in which a change can fail ends in exactly the state before.

What a test spoils is spoilt only while Gunicorn runs with the new setting (the knob only-if), so that the change is
the cause and its rollback the cure.
"""

import pytest

from lab import Spec
from lab.playbooks import (HEALTH, RESTART, SERVICE, TIMEOUT, UPSTREAM_FAILURES, WORKER_TIMEOUTS, align, gunicorn, http,
                           nginx_timeout, playbook)
from lab.runs import FAILED, REFUSED, ROLLED_BACK, hide_journal, master_argv, restored, run, salve_json, start, untouched

SERVICE_CHECK = "unit gunicorn.service"
NEW = "timeout 5"  # what TIMEOUT makes of the lab's timeout 2


def spoil(host, *knobs):
    host.knob("only-if", NEW)
    for name, value in knobs:
        host.knob(name, value)


def rolled_back(host, text):
    with restored(host):
        ended = run(host, text)
    assert ended.code == ROLLED_BACK, ended
    assert ended.states()[-3:] == ["rolling-back", "restored", "rolled-back"], ended
    assert salve_json(host, "show")["state"] == "rolled-back"
    return ended


# The candidate is refused before anything is live.

BROKEN_SITE = "{{! escape: nginx }}\nserver { listen 8099; prxy_pass http://127.0.0.1:8000; }\n"
IGNORED_VALUE = "{{! escape: systemd }}\n[Service]\nTimeoutStopSec=abc\n"


def template(host, text, target):
    host.write("/etc/salve/templates/candidate", text)
    return {"template": {"name": "candidate", "path": target}}


def test_a_candidate_that_nginx_refuses_never_goes_live(shared):
    host = shared()
    change = template(host, BROKEN_SITE, "/etc/nginx/conf.d/candidate.conf")
    with untouched(host):
        ended = run(host, playbook(change))
    assert ended.code == REFUSED, ended
    assert ended.said("nginx -t refuses the candidate") and ended.said("prxy_pass"), ended


def test_a_candidate_that_gunicorn_refuses_never_goes_live(shared):
    host = shared(Spec(settings="file"))
    spoil(host, ("import-fails", ""))
    with untouched(host):
        ended = run(host, playbook(TIMEOUT))
    assert ended.code == REFUSED, ended
    assert ended.said("gunicorn --check-config refuses the candidate"), ended
    assert ended.said("the knob import-fails is turned"), ended


def test_an_application_that_could_not_be_imported_before_is_not_blamed_on_the_candidate(shared):
    host = shared(Spec(settings="file"))
    host.knob("import-fails")
    with untouched(host):
        ended = run(host, playbook(TIMEOUT))
    assert ended.code == REFUSED, ended
    assert ended.said("as it is, before any change"), ended


def test_a_candidate_with_a_value_that_systemd_would_ignore_never_goes_live(shared):
    host = shared()
    change = template(host, IGNORED_VALUE, "/etc/systemd/system/gunicorn.service.d/50-candidate.conf")
    host.run("mkdir -p /etc/systemd/system/gunicorn.service.d && systemctl daemon-reload")
    with untouched(host):
        ended = run(host, playbook(change))
    assert ended.code == REFUSED, ended
    assert ended.said("systemd-analyze verify") and ended.said("abc"), ended


# Activation fails.

def test_a_gunicorn_that_dies_two_seconds_after_its_start_is_noticed_though_the_job_was_done(shared):
    host = shared()
    spoil(host, ("master-dies", 2))
    ended = rolled_back(host, playbook(TIMEOUT, settle="4s"))
    assert ended.said("did not stay up"), ended


def test_an_application_that_does_not_load_is_noticed_though_gunicorn_said_it_was_ready(shared):
    host = shared()
    spoil(host, ("import-fails", ""))
    ended = rolled_back(host, playbook(TIMEOUT))
    assert ended.said("gunicorn.service"), ended


def test_a_service_that_ran_into_its_start_limit_is_up_again_after_the_rollback(boot):
    host = boot()
    host.write("/etc/systemd/system/gunicorn.service.d/limits.conf",
               "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=300\n[Service]\nRestart=always\nRestartSec=100ms\n")
    host.run("systemctl daemon-reload && systemctl restart gunicorn")
    host.wait_site()
    spoil(host, ("master-dies", 0.3))
    rolled_back(host, playbook(TIMEOUT, settle="5s"))
    assert host.get("/health/").status == 200


def test_a_socket_that_failed_with_its_service_listens_again_after_the_rollback(boot):
    host = boot(Spec(bind="socket"))
    host.write("/etc/systemd/system/gunicorn.service.d/limits.conf",
               "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=300\n")
    host.run("systemctl daemon-reload && systemctl restart gunicorn")
    host.wait_site()
    spoil(host, ("import-fails", ""))
    rolled_back(host, playbook(TIMEOUT, settle="3s"))
    assert host.get("/health/").status == 200


def test_a_reload_that_nginx_rejects_is_noticed_though_the_job_was_done(shared):
    host = shared()
    taken = host.start(["python3", "-m", "http.server", "8099", "--bind", "0.0.0.0"])
    host.run("until ss -tln | grep -q :8099; do :; done", timeout=20)
    change = template(host, "{{! escape: nginx }}\nserver { listen 8099; }\n", "/etc/nginx/conf.d/candidate.conf")
    master = host.show("nginx", "MainPID")
    ended = rolled_back(host, playbook(change))
    host.end(taken)
    assert ended.said("nginx rejected the reload"), ended
    assert host.show("nginx", "MainPID") == master, "nginx was restarted"


# Verification fails.

def test_an_endpoint_that_becomes_slower_is_rolled_back(shared):
    host = shared()
    spoil(host, ("request-delay", 700))
    ended = rolled_back(host, playbook(TIMEOUT, checks=(http("health", limit="500ms"),)))
    assert ended.said("500ms"), ended


def test_an_endpoint_that_becomes_slower_than_its_baseline_is_rolled_back(shared):
    host = shared()
    spoil(host, ("request-delay", 700))
    check = http("health", samples=20, every="100ms")
    check["http"]["max"] = {"max": "10s", "over_baseline": "50%", "slack": "200ms"}
    ended = rolled_back(host, playbook(TIMEOUT, checks=(check,), window="auto"))
    assert ended.said("slower: in "), ended
    assert ended.said("although 50 % + 200 ms were allowed"), ended


def test_an_endpoint_that_answers_with_an_error_is_rolled_back(shared):
    host = shared()
    spoil(host, ("health-500", ""))
    ended = rolled_back(host, playbook(TIMEOUT))
    assert ended.said("HTTP 500"), ended


def test_an_endpoint_whose_worker_dies_is_rolled_back(shared):
    host = shared(Spec(timeout=4))
    seconds = "/reports/?seconds=2.6"
    check = http("report", seconds, limit="9s", samples=1)
    ended = rolled_back(host, playbook(gunicorn(timeout="1s"), checks=(check,), window="8s"))
    assert ended.said("HTTP 502"), ended


def test_a_worker_timeout_in_the_window_is_rolled_back(shared):
    host = shared(Spec(timeout=4))
    traffic = http("report", "/reports/?seconds=2.6", limit="9s", samples=1, failure_limit=1000)
    ended = rolled_back(host, playbook(gunicorn(timeout="1s"), checks=(traffic, WORKER_TIMEOUTS), window="5s"))
    assert ended.said("worker-timeout"), ended
    assert "Handling signal: hup" not in host.journal("gunicorn"), "gunicorn was reloaded, not restarted"


def test_upstream_failures_in_nginx_log_are_rolled_back(shared):
    host = shared(Spec(timeout=4))
    traffic = http("report", "/reports/?seconds=2.6", limit="9s", samples=1, failure_limit=1000)
    ended = rolled_back(host, playbook(gunicorn(timeout="1s"), checks=(traffic, UPSTREAM_FAILURES), window="5s"))
    assert ended.said("upstream-failure"), ended


def test_a_probe_that_is_refused_is_no_success(shared):
    host = shared()
    check = http("nobody")
    check["http"]["url"] = "http://127.0.0.1:8098/health/"
    ended = rolled_back(host, playbook(TIMEOUT, checks=(check,)))
    assert ended.verdicts()["nobody"] != "pass"


def test_a_journal_that_cannot_be_read_is_no_success(boot):
    host = boot()
    hide_journal(host)
    ended = rolled_back(host, playbook(TIMEOUT, checks=(HEALTH, WORKER_TIMEOUTS)))
    assert "blind" in ended.verdicts().values(), ended


def test_a_restart_by_somebody_else_in_the_window_is_no_success(shared):
    host = shared()
    with restored(host):
        with start(host, playbook(TIMEOUT, window="6s")) as carried:
            carried.wait_event(event="state", state="verifying")
            host.systemctl("restart", "gunicorn")
            ended = carried.end()
    assert ended.code == ROLLED_BACK, ended


def test_gunicorn_and_nginx_are_put_back_together(shared):
    host = shared(Spec(proxy_read_timeout="3s"))
    spoil(host, ("health-500", ""))
    ended = rolled_back(host, playbook(TIMEOUT, align()))
    assert ended.said("HTTP 500"), ended
    assert host.get("/reports/?seconds=3.5").status in (502, 504), "nginx still has the new timeout"


def test_what_a_rollback_writes_through_a_link_is_not_called_somebody_elses(shared):
    host = shared(Spec(proxy_read_timeout="3s"))
    assert host.run("readlink /etc/nginx/sites-enabled/site").stdout.strip(), "the site is enabled by a link"
    host.knob("health-500")
    ended = rolled_back(host, playbook(nginx_timeout("61s")))
    host.knob("health-500", None)
    assert not [text for text in ended.texts("warning") if "somebody else" in text], ended


@pytest.mark.parametrize("settings", ["file", "env", "web-concurrency"])
def test_every_place_of_settings_is_put_back(shared, settings):
    host = shared(Spec(settings=settings))
    change = gunicorn(workers=2) if settings == "web-concurrency" else TIMEOUT
    spoil(host, ("health-500", ""))
    if settings == "web-concurrency":
        host.knob("only-if", "WEB-CONCURRENCY 2")
    rolled_back(host, playbook(change))


@pytest.mark.parametrize("settings", ["flags", "file"])
def test_workers_are_counted_against_what_the_service_has_at_that_time(shared, settings):
    host = shared(Spec(settings=settings))
    host.knob("health-500")
    ended = rolled_back(host, playbook(gunicorn(workers=5), checks=(http("health", limit="20s"), SERVICE)))
    said = [(event["verdict"], event["text"]) for event in ended.events
            if event["event"] == "verdict" and event["subject"] == SERVICE_CHECK]
    workers = [3, 5, 3]  # at the baseline, after the change, after its rollback
    assert said == [("pass", f"running, {n} workers") for n in workers], ended


def test_owner_mode_attributes_and_acls_are_put_back(shared):
    host = shared(Spec(settings="env"))
    host.run("setfattr -n user.note -v kept /etc/site/gunicorn.env && setfacl -m u:www-data:r /etc/site/gunicorn.env && "
             "chown django:www-data /etc/site/gunicorn.env && systemctl restart gunicorn")
    host.wait_site()
    spoil(host, ("health-500", ""))
    rolled_back(host, playbook(TIMEOUT))
    assert "user:www-data:r" in host.run("getfacl -p /etc/site/gunicorn.env").stdout


def test_a_host_that_was_sick_before_and_still_is_ends_rolled_back_and_not_stuck(shared):
    host = shared()
    host.knob("health-500")
    ended = rolled_back(host, playbook(TIMEOUT))
    assert "still sick as before" in ended.reason, ended
    host.knob("health-500", None)
    assert run(host, playbook(gunicorn(timeout="2s"))).code == 0, "a rolled-back run blocks the next one"


def test_a_restart_that_does_not_help_ends_failed_with_nothing_to_put_back(shared):
    host = shared()
    host.knob("health-500")
    before = master_argv(host)
    ended = run(host, playbook(RESTART, checks=(HEALTH,)))
    assert ended.code == FAILED and ended.record["state"] == "failed", ended
    assert master_argv(host) == before


def test_a_gunicorn_that_was_dead_before_is_dead_again_after_the_rollback(shared):
    host = shared()
    host.run("systemctl kill --kill-who=all --signal=KILL gunicorn; until systemctl is-failed -q gunicorn; do :; done")
    spoil(host, ("health-500", ""))
    ended = run(host, playbook(TIMEOUT))
    assert ended.code == ROLLED_BACK, ended
    assert "restart gunicorn.service: ok" in ended.texts("step-done"), ended
    assert host.show("gunicorn", "ActiveState") in ("failed", "inactive")
    assert host.show("gunicorn", "MainPID") == "0"
