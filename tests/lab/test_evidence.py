# SPDX-License-Identifier: Apache-2.0
"""No verdict without evidence: what the checks read is what the processes write, or they say that they are blind."""

import pytest

from lab import Spec
from lab.playbooks import SERVICE, TIMEOUT, gunicorn, playbook
from lab.runs import KEPT, ROLLED_BACK, run, start

LOG = "/var/log/gunicorn/error.log"
FAILURES = {"log": {"source": "nginx-error", "event": "upstream-failure", "no_more_than": 0}}


def gunicorn_log(**more):
    return {"log": {"source": "gunicorn-error", "event": "worker-timeout", "no_more_than": 0, **more}}


def log_to_file(host):
    host.run("install -d -o django -g www-data /var/log/gunicorn")
    host.run(f"echo 'errorlog = \"{LOG}\"' >>/etc/site/gunicorn.conf.py")
    host.systemctl("restart", "gunicorn")
    host.run("until curl -sf -o /dev/null http://127.0.0.1/health/; do :; done", timeout=30)  # no line in the journal


def rotate_in_the_window(host, text, *commands):
    with start(host, text) as carried:
        carried.wait_event(event="state", state="verifying")
        for command in commands:
            host.run(command)
        assert host.get("/reports/?seconds=9").status == 502  # in the log, wherever that is now
        return carried.end()


def test_a_log_that_was_renamed_is_read_where_the_processes_write(boot):
    host = boot(Spec(settings="file", timeout=3))
    log_to_file(host)
    text = playbook(gunicorn(workers=4), checks=(gunicorn_log(name="timeouts"),), window="15s")
    ended = rotate_in_the_window(host, text, f"mv {LOG} {LOG}.2",
                                 f"install -o django -g www-data -m 640 /dev/null {LOG}")
    assert "WORKER TIMEOUT" in host.read(f"{LOG}.2")
    assert ended.code == ROLLED_BACK, ended
    assert "1 worker-timeout > 0" in ended.reason, ended


def test_a_log_that_was_removed_is_read_as_well(boot):
    host = boot(Spec(settings="file", timeout=3))
    log_to_file(host)
    text = playbook(gunicorn(workers=4), checks=(gunicorn_log(name="timeouts"),), window="15s")
    ended = rotate_in_the_window(host, text, f"rm {LOG}; install -o django -g www-data -m 640 /dev/null {LOG}")
    assert ended.code == ROLLED_BACK and "1 worker-timeout > 0" in ended.reason, ended


def test_a_log_that_was_copied_and_truncated_is_no_pass(boot):
    host = boot(Spec(settings="file", timeout=3))
    log_to_file(host)
    text = playbook(gunicorn(workers=4), checks=(gunicorn_log(name="timeouts"),), window="4s")
    with start(host, text) as carried:
        carried.wait_event(event="state", state="verifying")
        host.run(f"cp {LOG} {LOG}.1; truncate -s 0 {LOG}")
        ended = carried.end()
    assert ended.code == ROLLED_BACK and "was truncated" in ended.reason, ended


def test_a_log_that_was_rotated_as_it_should_be_is_followed(boot):
    host = boot(Spec(settings="file", timeout=3))
    log_to_file(host)
    text = playbook(gunicorn(workers=4), checks=(gunicorn_log(name="timeouts"),), window="5s")
    with start(host, text) as carried:
        carried.wait_event(event="state", state="verifying")
        host.run(f"mv {LOG} {LOG}.1; kill -s USR1 $(systemctl show -p MainPID --value gunicorn)")
        ended = carried.end()
    assert ended.code == KEPT, ended


def test_an_nginx_that_logs_to_standard_error_leaves_no_evidence_in_its_default_file(boot):
    host = boot()
    host.run("sed -i '/error_log/d' /etc/nginx/nginx.conf; mkdir -p /etc/systemd/system/nginx.service.d")
    host.write("/etc/systemd/system/nginx.service.d/stderr.conf",
               "[Service]\nExecStart=\nExecStart=/usr/sbin/nginx -e stderr -g 'daemon on; master_process on;'\n")
    host.systemctl("daemon-reload")
    host.systemctl("restart", "nginx")
    host.wait_site()
    ended = run(host, playbook(TIMEOUT, checks=(SERVICE, FAILURES)))
    assert ended.code == ROLLED_BACK, ended
    assert ended.said("no process of nginx.service has /var/log/nginx/error.log open"), ended


TIMEOUTS = {"journal": {"unit": "gunicorn.service", "event": "worker-timeout", "no_more_than": 0}}


def unit_setting(host, *lines):
    host.run("mkdir -p /etc/systemd/system/gunicorn.service.d")
    host.write("/etc/systemd/system/gunicorn.service.d/log.conf", "\n".join(["[Service]", *lines, ""]))
    host.systemctl("daemon-reload")
    host.systemctl("restart", "gunicorn")
    host.run("until curl -sf -o /dev/null http://127.0.0.1/health/; do :; done", timeout=30)


BLIND = {
    "rate limit": (["LogRateLimitIntervalSec=5min", "LogRateLimitBurst=2"], "LogRateLimitBurst"),
    "namespace": (["LogNamespace=site"], "LogNamespace=site"),
    "level": (["LogLevelMax=warning"], "LogLevelMax="),
    "standard error": (["StandardError=null"], "StandardError="),
}


@pytest.mark.parametrize("kind", BLIND)
def test_a_journal_that_cannot_show_all_lines_is_no_pass(boot, kind):
    lines, words = BLIND[kind]
    host = boot(Spec(timeout=9))
    unit_setting(host, *lines)
    ended = run(host, playbook(TIMEOUT, checks=(TIMEOUTS,)))
    assert ended.code == ROLLED_BACK, ended
    assert words in ended.reason, ended


def test_a_journal_that_shows_all_lines_passes(boot):
    ended = run(boot(Spec(timeout=9)), playbook(TIMEOUT, checks=(TIMEOUTS,)))
    assert ended.code == KEPT, ended
