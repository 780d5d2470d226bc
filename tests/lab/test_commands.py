# SPDX-License-Identifier: Apache-2.0
"""The commands that only read, and the hosts and users that salve cannot work for."""

import json

import pytest

from lab import Spec
from lab.playbooks import TIMEOUT, playbook, write_playbook
from lab.runs import FAILED, INVALID, REFUSED, run, salve_json, untouched

SHIPPED = ["gunicorn-timeout", "gunicorn-workers", "nginx-align", "restart-stuck"]
PLAN = ("gunicorn-timeout", "-e", "timeout=60s", "-e", "endpoint=http://127.0.0.1/reports/")


@pytest.fixture(scope="module")
def host(boot_for_module):
    """The runbook's incident, as it is found: nothing here may change it."""
    host = boot_for_module()
    assert host.get("/reports/").status == 502
    host.wait_journal("WORKER TIMEOUT", "_SYSTEMD_UNIT=gunicorn.service")
    return host


def findings(host, *words, **options):
    done = host.run(["salve", "--json", "diagnose", *words], check=False, **options)
    assert done.code == 0, done
    return {entry["finding"]: entry for entry in json.loads(done.stdout)["findings"]}


def test_the_shipped_playbooks_are_listed_with_their_variables(host):
    listed = salve_json(host, "list")
    assert [entry["name"] for entry in listed["playbooks"]] == SHIPPED
    assert not listed["problems"]
    text = host.salve("list", check=True).stdout
    assert "gunicorn-timeout" in text and "endpoint" in text and "1s to 300s" in text


def test_a_playbook_of_the_host_wins_over_the_shipped_one(host):
    host.write("/etc/salve/playbooks/restart-stuck.yaml", playbook(TIMEOUT).replace('"test"', '"restart-stuck"'))
    paths = {entry["name"]: entry["path"] for entry in salve_json(host, "list")["playbooks"]}
    host.run(["rm", "-r", "/etc/salve"])
    assert paths["restart-stuck"] == "/etc/salve/playbooks/restart-stuck.yaml"


def test_what_is_shipped_has_no_errors(host):
    assert "no errors" in host.salve("lint", check=True).stdout


def test_mistakes_in_a_playbook_are_told_together_with_their_places(host):
    host.write("/root/playbooks/bad.yaml", """\
salve: 1
name: bad
summary: Four mistakes.
changes:
  - gunicorn: {unit: auto, exactly: {timeuot: 5s, workers: many}}
verify:
  window: 10
  checks:
    - htpp: {url: "http://127.0.0.1/"}
""")
    done = host.salve("lint", "/root/playbooks/bad.yaml")
    assert done.code == INVALID
    for part in ('bad.yaml:5:38: unknown key "timeuot"', "did you mean", "bad.yaml:5:60", "bad.yaml:7:11",
                 "bad.yaml:9:7", "^"):
        assert part in done.stderr, done.stderr


def test_a_playbook_that_others_may_write_is_not_run(host):
    path = write_playbook(host, playbook(TIMEOUT), "writable")
    host.run(["chmod", "666", path])
    done = host.salve("run", "--yes", path)
    assert done.code == REFUSED and "chmod go-w" in done.stderr, done


@pytest.mark.parametrize("words, code, said", [
    (("gunicorn-timeuot",), INVALID, 'did you mean "gunicorn-timeout"'),
    (("gunicorn-timeout",), INVALID, "-e timeout="),
    (("gunicorn-timeout", "-e", "timeout=60", "-e", "endpoint=http://127.0.0.1/"), INVALID, "60"),
    (("gunicorn-timeout", "-e", "timeout=999s", "-e", "endpoint=http://127.0.0.1/"), INVALID, "300s"),
    (("gunicorn-timeout", "-e", "timeout=5s; rm -rf /", "-e", "endpoint=http://127.0.0.1/"), INVALID, "timeout"),
    (("gunicorn-timeout", "-e", "timeout=5s", "-e", "endpoint=reports"), INVALID, "endpoint"),
    (("gunicorn-timeout", "-e", "timeuot=5s"), INVALID, "did you mean"),
    (("gunicorn-workers", "-e", "workers=0"), INVALID, "workers"),
])
def test_values_that_cannot_be_meant_are_refused_before_the_host_is_looked_at(host, words, code, said):
    for verb in (("plan",), ("run", "--yes")):
        done = host.salve(*verb, *words)
        assert done.code == code and said in done.stderr, done


def test_values_can_come_from_a_file(host):
    host.write("/root/values.yaml", "timeout: 61s\nendpoint: http://127.0.0.1/reports/\n")
    plan = salve_json(host, "plan", "gunicorn-timeout", "-e", "@/root/values.yaml")
    assert plan["values"]["timeout"] == "61s"


def test_more_workers_than_the_memory_holds_are_refused(host):
    done = host.salve("plan", "gunicorn-workers", "-e", "workers=128", environment={})
    memory = host.read("/proc/meminfo").split("MemAvailable:")[1].split()[0]
    assert done.code == REFUSED or int(memory) > 3 << 20, done


def test_a_plan_tells_all_and_touches_nothing(host):
    with untouched(host):
        plan = salve_json(host, "plan", *PLAN)
        text = host.salve("plan", *PLAN, check=True).stdout
    assert not host.exists("/var/lib/salve"), "a plan has made a state directory"
    assert [effect["effect"] for effect in plan["effects"]][-2:] == ["reload", "restart"]
    assert plan["refused_usec"] > 0 and not plan["nothing_to_do"]
    for part in ("+        proxy_read_timeout 65s;", "--timeout 60", "daemon-reload", "restart gunicorn.service",
                 "refused for up to", "slow-request", "next: salve run gunicorn-timeout"):
        assert part in text, text


def test_a_plan_starts_no_program(host):
    host.run(["strace", "-f", "-o", "/root/trace", "-e", "trace=execve,openat", "salve", "plan", *PLAN])
    trace = host.read("/root/trace")
    assert trace.count("execve(") == 1, trace
    assert "O_WRONLY" not in trace.replace("/dev/null", "") and "O_RDWR" not in trace, trace


def test_another_tree_is_planned_for_without_a_host(host):
    host.run("mkdir -p /root/tree && cp -a --parents /etc/nginx /usr/share/nginx /etc/systemd/system /etc/site /srv/site /root/tree")
    plan = json.loads(host.salve("--json", "--root", "/root/tree", "plan", *PLAN, check=True).stdout)
    assert plan["edits"]


def test_the_schema_describes_the_shipped_playbooks(host):
    schema = salve_json(host, "schema")
    assert schema["$schema"].endswith("2020-12/schema")
    assert "gunicorn" in json.dumps(schema)


def test_diagnosis_shows_the_incident_with_evidence(host):
    found = findings(host)
    assert found["worker-timeout"]["state"] == "present"
    assert any("WORKER TIMEOUT" in line for line in found["worker-timeout"]["evidence"])
    assert "WORKER TIMEOUT" in host.salve("diagnose", check=True).stdout


def test_the_arbiters_own_kill_is_not_taken_for_the_oom_killer(host):
    found = findings(host)
    assert found["oom-kill"]["state"] != "present", found["oom-kill"]


def test_a_fresh_host_has_no_other_finding(host):
    found = findings(host)
    assert {name for name, entry in found.items() if entry["state"] == "present"} == {"worker-timeout"}, found


def test_a_journal_that_may_not_be_read_is_unknown_and_never_good_news(host):
    found = findings(host, user="django")
    assert found["worker-timeout"]["state"] == "unknown", found["worker-timeout"]


def test_threads_are_told_to_make_the_timeout_a_heartbeat(boot):
    found = findings(boot(Spec(worker="gthread")))
    assert found["timeout-not-enforced"]["state"] == "present"
    assert "gthread" in found["timeout-not-enforced"]["summary"]


def test_only_root_runs(host):
    host.run("install -d -m 755 /srv/playbooks")
    with untouched(host):
        done = host.run(["salve", "run", "--yes", "restart-stuck"], user="django", check=False)
    host.run("rmdir /srv/playbooks")
    assert done.code == FAILED and "sudo" in done.stderr, done


def test_without_systemd_there_is_one_clear_error(host):
    hidden = "mount -t tmpfs none /run && exec salve {} restart-stuck"
    for verb in ("plan", "run --yes"):
        done = host.run(["unshare", "-m", "sh", "-c", hidden.format(verb)], check=False)
        assert done.code == FAILED and "systemd" in done.stderr, done
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_terminal_is_asked_before_anything_happens(host):
    host.write("/root/playbooks/ask.yaml", playbook(TIMEOUT))
    with untouched(host):
        done = host.run("echo n | script -qec 'salve run /root/playbooks/ask.yaml' /dev/null", check=False)
    assert "Apply? [y/N]" in done.stdout and "Nothing was touched" in done.stdout, done
    assert run(host, "no-such-playbook").code == INVALID


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_what_is_said_into_closed_descriptors_is_written_nowhere(host, closed):
    words = " ".join(f"'{word}'" for word in PLAN)
    done = host.run(["sh", "-c", f"salve -v plan {words} {closed}"], check=False)
    assert done.code in (0, REFUSED), done
    assert host.run(["sh", "-c", "cat /var/lib/salve/lock 2>/dev/null"], check=False).stdout == ""


def test_escapes_and_reordering_characters_reach_no_terminal(host):
    name = "/root/\x1b]0;owned\x07\u202e\u2026.yaml"
    for words in (["plan", name], ["status", name], ["lint", name]):
        said = host.run(["salve", *words], check=False, environment={"LANG": "C"})
        text = said.stdout + said.stderr
        assert "owned" in text and "\\u202e..." in text, said
        assert all(char == "\n" or " " <= char <= "~" for char in text), said
