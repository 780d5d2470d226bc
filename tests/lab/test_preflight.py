# SPDX-License-Identifier: Apache-2.0
"""A check that cannot tell anything on a host ends the run before anything is touched, and says what to write instead."""

import pytest

from lab import Spec
from lab.playbooks import SERVICE, TIMEOUT, http, playbook, write_playbook
from lab.runs import KEPT, REFUSED, ROLLED_BACK, refusal, run, salve_json

SECURE = Spec(nginx="secure")
CERTIFICATE = "/etc/ssl/site/fullchain.pem"
BY_NAME = {"connect_to": "127.0.0.1:443", "ca": CERTIFICATE}
LOGIN = "server { listen 8088; location = /login { return 401; } location = /forbidden { return 403; } }\n"


def asking(url, **more):
    return playbook(TIMEOUT, checks=(http("health", url=url, limit="20s", **more), SERVICE))


@pytest.mark.parametrize("url, more, advice", [
    ("https://site.test/health/", {"ca": CERTIFICATE}, "write connect_to: 127.0.0.1:443"),
    ("http://127.0.0.1/health/", {}, "redirects to https://127.0.0.1/health/: ask for that"),
    ("http://127.0.0.1:8000/health/", {}, 'the host name \\"127.0.0.1:8000\\" is none that it allows'),
    ("http://127.0.0.1:443/health/", {}, "this port speaks https"),
    ("https://site.test/health/", {"connect_to": "127.0.0.1:443"}, "write ca with"),
    ("https://127.0.0.1/health/", {"ca": CERTIFICATE}, "a name that the certificate has"),
    ("http://127.0.0.1:8088/login", {}, "write header_from"),
    ("http://127.0.0.1:8088/forbidden", {}, "write header_from"),
], ids=["name", "redirect", "host", "scheme", "issuer", "subject", "login", "forbidden"])
def test_a_check_that_is_wrong_for_the_host_touches_nothing(shared, url, more, advice):
    host = shared(SECURE)
    host.write("/etc/nginx/conf.d/login.conf", LOGIN)
    host.systemctl("reload", "nginx")
    ended = refusal(host, asking(url, **more))
    assert ended.said(advice), ended
    assert ended.record["state"] == "refused" and not ended.said("sick"), ended


def test_the_same_check_written_as_advised_passes(shared):
    host = shared(SECURE)
    assert run(host, asking("https://site.test/health/", **BY_NAME)).code == KEPT


def test_a_file_of_cas_that_is_not_there_is_said_by_the_plan(shared):
    host = shared(SECURE)
    text = asking("https://site.test/health/", connect_to="127.0.0.1:443", ca="/etc/ssl/none.pem")
    planned = host.salve("plan", write_playbook(host, text))
    assert planned.code == REFUSED and "/etc/ssl/none.pem is not there" in planned.stderr, planned
    refusal(host, text)


def test_what_is_to_come_with_the_change_may_fail_before_it(shared):
    host = shared(SECURE)
    ended = run(host, asking("http://127.0.0.1/health/", baseline="may_fail"))
    assert ended.code == ROLLED_BACK, ended
    assert ended.said("HTTP 301") and not ended.said("still sick"), "a redirect is no sickness: " + repr(ended)


def test_a_check_that_must_pass_before_and_fails_touches_nothing_unless_a_person_accepts_it(shared):
    host = shared()
    host.knob("health-500")
    text = playbook(TIMEOUT, checks=(http("health", limit="20s", baseline="must_pass"), SERVICE))
    ended = refusal(host, text)
    assert ended.said("must pass before the change, and does not: HTTP 500"), ended
    ended = run(host, text, "--accept-failing-baseline")
    assert ended.code == ROLLED_BACK and ended.said("still sick as before"), ended
    shown = salve_json(host, "show", ended.id)
    assert "accepted with --accept-failing-baseline" in str(shown), shown


def log(**more):
    return {"log": {"source": "nginx-error", "event": "upstream-failure", "no_more_than": 0, **more}}


def test_what_is_not_on_the_host_is_skipped_where_the_check_says_so(boot):
    host = boot(Spec(nginx="none"))
    host.run("rm -r /etc/nginx")
    other = {"unit": {"name": "redis.service"}}
    for check in (log(), other):
        kind = next(iter(check))
        text = playbook(TIMEOUT, checks=(SERVICE, check))
        planned = host.salve("plan", write_playbook(host, text))
        assert planned.code == REFUSED and "write when_absent: skip" in planned.stderr, planned
        check[kind]["when_absent"] = "skip"
        planned = host.salve("plan", write_playbook(host, playbook(TIMEOUT, checks=(SERVICE, check))))
        assert planned.code == 0 and "left out: there is no" in planned.stdout, planned
    ended = run(host, playbook(TIMEOUT, checks=(SERVICE, log(when_absent="skip"))))
    assert ended.code == KEPT, ended


def test_a_log_that_nobody_writes_touches_nothing(shared):
    host = shared()
    ended = refusal(host, playbook(TIMEOUT, checks=(SERVICE, log(path="/var/log/nginx/errors.log"))))
    assert ended.said("/var/log/nginx/errors.log is not there"), ended
