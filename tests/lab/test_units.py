# SPDX-License-Identifier: Apache-2.0
"""Units of a real host: each setting that may be changed is read back, units that rest are not started, and what one
Gunicorn service logs is not held against another."""

import json

import pytest

from lab import Spec
from lab.playbooks import HEALTH, TIMEOUT, gunicorn, playbook, write_playbook
from lab.runs import KEPT, ROLLED_BACK, master_argv, restored, run, salve_json, start

# What is set, and what `systemctl show` makes of it.
SETTINGS = {
    "TimeoutStartSec": ("40s", "TimeoutStartUSec", "40s"),
    "TimeoutStopSec": ("20s", "TimeoutStopUSec", "20s"),
    "RuntimeMaxSec": ("2h", "RuntimeMaxUSec", "2h"),
    "RestartSec": ("3s", "RestartUSec", "3s"),
    "StartLimitIntervalSec": ("90s", "StartLimitIntervalUSec", "1min 30s"),
    "StartLimitBurst": (7, "StartLimitBurst", "7"),
    "Restart": ("on-failure", "Restart", "on-failure"),
    "KillMode": ("control-group", "KillMode", "control-group"),
    "OOMPolicy": ("continue", "OOMPolicy", "continue"),
    "OOMScoreAdjust": (100, "OOMScoreAdjust", "100"),
    "Nice": (5, "Nice", "5"),
    "MemoryMax": ("900MiB", "MemoryMax", str(900 * 2**20)),
    "MemoryHigh": ("800MiB", "MemoryHigh", str(800 * 2**20)),
    "TasksMax": (200, "TasksMax", "200"),
    "CPUQuota": ("150%", "CPUQuotaPerSecUSec", "1.500000s"),
    "CPUWeight": (200, "CPUWeight", "200"),
    "IOWeight": (300, "IOWeight", "300"),
    "LimitNOFILE": (4096, "LimitNOFILE", "4096"),
    "LimitNPROC": (4000, "LimitNPROC", "4000"),
}


def settings(unit="gunicorn.service", **chosen):
    return {"unit": {"unit": unit, "set": chosen}}


def allowed_settings(host):
    """What the schema of the installed salve lets a playbook set."""
    schema = json.loads(host.salve("schema", check=True).stdout)
    found = []

    def look(node):
        if isinstance(node, dict):
            names = node.get("properties", {})
            if "TimeoutStopSec" in names:
                found.extend(names)
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(schema)
    return set(found)


def test_each_setting_of_a_unit_is_what_systemd_has_after_the_run(boot):
    host = boot()
    assert set(SETTINGS) == allowed_settings(host)
    ended = run(host, playbook(settings(**{name: value for name, (value, _, _) in SETTINGS.items()})))
    assert ended.code == KEPT, ended
    have = {name: host.show("gunicorn", shown) for name, (_, shown, _) in SETTINGS.items()}
    assert have == {name: text for name, (_, _, text) in SETTINGS.items()}
    limits = host.run(f"cat /proc/{host.show('gunicorn', 'MainPID')}/limits").stdout
    assert "Max open files            4096                 4096" in limits

    ended = run(host, playbook(settings(TimeoutStartSec="never", TimeoutStopSec="never", RuntimeMaxSec="never")))
    assert ended.code == KEPT, ended
    for shown in ("TimeoutStartUSec", "TimeoutStopUSec", "RuntimeMaxUSec"):
        assert host.show("gunicorn", shown) == "infinity"


def test_a_setting_that_systemd_takes_from_elsewhere_is_found_by_reading_it_back(boot):
    """The setting's old name in its old section, in a drop-in behind salve's, is more than the plan can see."""
    host = boot()
    host.write("/etc/systemd/system/gunicorn.service.d/zzz-admin.conf", "[Service]\nStartLimitInterval=33s\n")
    host.systemctl("daemon-reload")
    host.systemctl("restart", "gunicorn")
    host.wait_site()
    with restored(host):
        ended = run(host, playbook(settings(StartLimitIntervalSec="90s")))
    assert ended.code == ROLLED_BACK and "systemd ignored the setting" in ended.reason, ended


def test_a_setting_beside_its_bounds_is_refused_before_anything_is_planned(shared):
    host = shared()
    for name, value in (("Nice", 20), ("CPUQuota", "0%"), ("KillMode", "none"), ("MemoryMax", "1MiB")):
        path = write_playbook(host, playbook(settings(**{name: value})))
        done = host.salve("plan", path)
        assert done.code == 2 and name in done.stderr, done


# Units that rest

IDLE = """\
[Service]
ExecStart=/usr/bin/sleep infinity
"""
JOB = "[Service]\nType=oneshot\nExecStart=/usr/bin/sleep infinity\nTimeoutStartSec=infinity\n"


def effects_of(host, text):
    plan = salve_json(host, "plan", write_playbook(host, text))
    return {effect["unit"]: effect["rests"] for effect in plan["effects"] if effect["effect"] == "restart"}


def test_a_unit_that_was_stopped_is_not_started_by_an_edit_of_its_file(boot):
    host = boot()
    host.write("/etc/systemd/system/idle.service", IDLE)
    host.systemctl("daemon-reload")
    text = playbook(settings("idle.service", TimeoutStopSec="50s"), checks=(HEALTH,))
    assert effects_of(host, text) == {"idle.service": "inactive"}
    ended = run(host, text)
    assert ended.code == KEPT and ended.said("it reads its configuration when it is started"), ended
    assert host.show("idle", "ActiveState") == "inactive"
    assert host.show("idle", "TimeoutStopUSec") == "50s"


def test_a_job_that_is_at_it_is_neither_ended_nor_begun_again(boot):
    host = boot()
    host.write("/etc/systemd/system/job.service", JOB)
    host.systemctl("daemon-reload")
    host.systemctl("start", "--no-block", "job")
    host.run("until [ $(systemctl show --value -p MainPID job) != 0 ]; do :; done")
    pid = host.show("job", "MainPID")
    text = playbook(settings("job.service", TimeoutStopSec="50s"), checks=(HEALTH,))
    assert effects_of(host, text) == {"job.service": "activating"}
    ended = run(host, text)
    assert ended.code == KEPT, ended
    assert host.show("job", "MainPID") == pid
    text = playbook(settings("job.service", TimeoutStopSec="60s"), checks=(HEALTH,), window="30s")
    with start(host, text) as carried:
        carried.wait_event(event="state", state="verifying")
        host.knob("health-500")
        carried.wait_event(event="state", state="rolling-back")
        host.knob("health-500", None)
        ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
    assert host.show("job", "MainPID") == pid, "the rollback ended a job"
    assert host.show("job", "TimeoutStopUSec") == "50s"


def test_a_gunicorn_that_was_stopped_stays_so_and_the_run_is_not_kept(boot):
    host = boot()
    host.systemctl("stop", "gunicorn")
    with restored(host):
        ended = run(host, playbook(TIMEOUT))
    assert ended.code == ROLLED_BACK, ended
    assert host.show("gunicorn", "ActiveState") == "inactive"


def test_a_gunicorn_that_its_socket_starts_meanwhile_uses_the_new_configuration(boot):
    host = boot(Spec(bind="socket"))
    host.systemctl("stop", "gunicorn.service")
    text = playbook(TIMEOUT, checks=(HEALTH,))
    assert effects_of(host, text) == {"gunicorn.service": "inactive"}
    ended = run(host, text)  # the baseline's request starts it, with the configuration before
    assert ended.code == KEPT, ended
    assert "--timeout 5 " in master_argv(host)


# Two Gunicorn services

ADMIN_SITE = """\
server {
    listen 80;
    server_name admin.test;
    error_log /var/log/nginx/admin-error.log;
    location / { proxy_pass http://127.0.0.1:8001; }
}
"""
NAMES = {"gunicorn.service": "site.test", "gunicorn-admin.service": "admin.test"}
KILLED = {"journal": "worker-killed", "gunicorn-error": "worker-killed", "nginx-error": "upstream-failure"}


def counted(source, unit):
    """A check that counts what a killed worker leaves in a log, and lets it pass."""
    check = {"name": f"{source}/{unit}", "unit": unit, "event": KILLED[source], "no_more_than": 5}
    return {"journal": check} if source == "journal" else {"log": {"source": source, **check}}


@pytest.fixture(scope="module")
def two_services(boot_for_module):
    host = boot_for_module(Spec(second=True))
    host.write("/etc/nginx/sites-available/admin", ADMIN_SITE)
    host.run("ln -s /etc/nginx/sites-available/admin /etc/nginx/sites-enabled/admin && "
             "sed -i 's/server_name site.test;/&\\n    error_log \\/var\\/log\\/nginx\\/site-error.log;/' "
             "/etc/nginx/sites-available/site && systemctl reload nginx")
    return host


def log_to_files(host):
    host.run("rm -rf /etc/systemd/system/gunicorn.service.d")  # what runs before put over ExecStart
    for name in ("gunicorn", "gunicorn-admin"):
        host.run(f"install -o django -m 644 /dev/null /var/log/{name}.log && "
                 f"sed -i 's/ project.wsgi/ --error-logfile \\/var\\/log\\/{name}.log project.wsgi/' "
                 f"/etc/systemd/system/{name}.service")
    host.systemctl("daemon-reload")
    host.systemctl("restart", "gunicorn", "gunicorn-admin")


def verdicts_after_a_kill(host, killed, sources, timeout):
    """One run, in whose window a worker of that service is killed in the middle of a request through nginx."""
    checks = [HEALTH] + [counted(source, unit) for source in sources for unit in NAMES]
    with start(host, playbook(gunicorn(timeout=timeout), checks=checks, window="4s")) as carried:
        carried.wait_event(event="state", state="verifying")
        assert host.get("/kill/", host=NAMES[killed]).status == 502
        ended = carried.end()
    assert ended.code == KEPT, ended
    return {event["subject"]: event["text"].split()[0] for event in ended.events
            if event["event"] == "verdict" and event["state"] == "verifying" and "/" in event["subject"]}


@pytest.mark.parametrize("killed", NAMES)
def test_what_one_gunicorn_service_logs_is_not_held_against_the_other(two_services, killed):
    sources = ("journal", "nginx-error")
    seen = verdicts_after_a_kill(two_services, killed, sources, "7s" if killed == "gunicorn.service" else "9s")
    assert seen == {f"{source}/{unit}": "1" if unit == killed else "0" for source in sources for unit in NAMES}


def test_lines_before_and_after_a_rotation_of_the_journal_count(two_services):
    host = two_services
    checks = [HEALTH, counted("journal", "gunicorn.service")]
    with start(host, playbook(gunicorn(timeout="15s"), checks=checks, window="6s")) as carried:
        carried.wait_event(event="state", state="verifying")
        for number in (1, 2):
            assert host.get("/kill/", host="site.test").status == 502
            carried.wait_event(event="sample", subject="journal/gunicorn.service", value=number)
            host.run("journalctl --sync && journalctl --rotate")
        assert host.get("/kill/", host="site.test").status == 502
        ended = carried.end()
    assert ended.code == KEPT, ended
    said = [text for text in ended.texts("verdict") if text.startswith("journal/")]
    assert "3 worker-killed" in said[-1], ended


def test_log_files_of_two_gunicorn_services_are_told_apart(two_services):
    host = two_services
    log_to_files(host)
    for killed, timeout in zip(NAMES, ("11s", "13s")):
        seen = verdicts_after_a_kill(host, killed, ("gunicorn-error",), timeout)
        assert seen == {f"gunicorn-error/{unit}": "1" if unit == killed else "0" for unit in NAMES}
