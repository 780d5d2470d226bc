# SPDX-License-Identifier: Apache-2.0
"""The lab is what it says: the incident happens on its default host, and every variant serves its site."""

import io

import pytest

from lab import LabError, Spec, machine, spec
from lab.host import CommandFailed
from lab.steps import Steps

VARIANTS = [
    Spec(),
    Spec(worker="gthread", settings="file"),
    Spec(bind="socket"),
    Spec(bind="socket", settings="file", nginx="direct"),
    Spec(bind="unix", settings="env", nginx="direct"),
    Spec(settings="web-concurrency", nginx="direct"),
    Spec(nginx="sites"),
    Spec(wrapper=True, settings="env"),
    Spec(template=True),
]


def name_of(variant):
    return ",".join(word for word, fields in spec.WORDS.items()
                    if all(getattr(variant, name) == value for name, value in fields.items()))


def workers_of(host):
    master = host.show(host.unit, "MainPID")
    return host.run(["pgrep", "--parent", master]).stdout.split()


def test_the_default_host_has_the_incident(boot):
    host = boot(salve=False)
    assert host.get("/health/").body == b"ok\n"
    report = host.get("/reports/")
    assert report.status == 502
    assert "WORKER TIMEOUT (pid:" in host.journal("gunicorn")
    assert "upstream prematurely closed connection" in host.read("/var/log/nginx/error.log")


def test_threads_let_a_slow_request_pass(boot):
    host = boot(Spec(worker="gthread"), salve=False)
    assert host.get("/reports/").status == 200
    assert "WORKER TIMEOUT" not in host.journal("gunicorn")


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_a_variant_serves_its_site_through_nginx(boot, variant):
    host = boot(variant, salve=False)
    assert host.systemctl("is-system-running").strip() == "running"
    assert host.get("/health/").status == 200
    assert host.get("/static/hello.txt").body == b"served by nginx\n"
    assert len(workers_of(host)) == variant.workers
    assert host.show(host.unit, "NeedDaemonReload") == "no"


def test_several_sites_are_told_apart_by_their_names(boot):
    host = boot(Spec(nginx="sites"), salve=False)
    assert host.get("/health/", host="shop.test").status == 200
    assert host.get("/hello.txt", host="files.test").body == b"served by nginx\n"
    secure = host.run("curl -s --cacert /etc/ssl/site/fullchain.pem --resolve site.test:443:127.0.0.1 "
                      "https://site.test/health/")
    assert secure.stdout == "ok\n"


def test_neighbouring_units_run_beside_gunicorn(boot):
    host = boot(Spec(celery=True, partof=True, second=True), salve=False)
    states = {unit: host.show(unit, "ActiveState") for unit in ("celery", "site-metrics", "gunicorn-admin")}
    assert set(states.values()) == {"active"}
    before = host.show("site-metrics", "InvocationID")
    host.systemctl("restart", "gunicorn")
    assert host.show("site-metrics", "InvocationID") != before


def test_a_host_can_lack_nginx_or_gunicorn(boot):
    bare = boot(Spec(nginx="none", gunicorn=False), salve=False)
    assert bare.show("gunicorn", "LoadState") == "not-found"
    assert bare.show("nginx", "ActiveState") == "inactive"


def test_the_knobs_spoil_the_application(boot):
    host = boot(Spec(worker="gthread"), salve=False)
    host.knob("health-500")
    assert host.get("/health/").status == 500
    host.knob("health-500", None)
    host.knob("request-delay", 400)
    assert host.get("/health/").seconds >= 0.4
    host.knob("request-delay", None)
    host.knob("report-seconds", 0.2)
    assert 0.2 <= host.get("/reports/").seconds < 2
    assert host.get("/reports/?seconds=0.3&cpu=1").body.startswith(b"report after ")
    assert host.get("/stream/?seconds=0.3").body.endswith(b"end\n")
    assert host.get("/kill/").status == 502
    host.knob("import-fails")
    host.systemctl("restart", "gunicorn", check=False)
    assert host.get("/health/").status == 502


@pytest.mark.parametrize("settings", ["flags", "file", "env"])
def test_a_knob_can_depend_on_a_setting_of_gunicorn(boot, settings):
    host = boot(Spec(settings=settings, timeout=7), salve=False)
    host.knob("only-if", "timeout 7")
    host.knob("health-500")
    assert host.get("/health/").status == 500
    host.knob("only-if", "timeout 77")
    assert host.get("/health/").status == 200


def test_gunicorn_can_be_made_to_die_after_its_start(boot):
    host = boot(salve=False)
    host.knob("master-dies", 0.2)
    host.systemctl("restart", "gunicorn")
    host.wait_journal("Failed with result 'signal'", "UNIT=gunicorn.service")
    assert host.show("gunicorn", "ActiveState") == "failed"


def test_a_deploy_switches_the_release(boot):
    host = boot(salve=False)
    host.deploy("2")
    host.systemctl("restart", "gunicorn")
    assert host.run("readlink -f /srv/site/current").stdout == "/srv/site/releases/2\n"
    assert host.get("/health/").status == 200


def test_secrets_are_in_the_environment_file_only(boot):
    host = boot(salve=False)
    assert host.run("stat -c '%U %G %a' /etc/site/gunicorn.env").stdout.strip() == "root django 640"
    assert "lab-secret-key" in host.read("/etc/site/gunicorn.env")
    assert host.run("grep -rl lab-secret-key /etc /srv", check=False).stdout == "/etc/site/gunicorn.env\n"


def test_commands_report_their_exit_code_and_respect_their_time(boot):
    host = boot(salve=False)
    assert host.run("exit 3", check=False).code == 3
    assert host.run("cat", input="through\n").stdout == "through\n"
    assert host.run(["id", "--user", "--name"], user="django").stdout == "django\n"
    with pytest.raises(CommandFailed, match="exit code 1"):
        host.run(["false"])
    with pytest.raises(CommandFailed, match="not done after 0.2 s"):
        host.run(["sleep", "1000"], timeout=0.2)
    assert host.run(["pgrep", "--full", "^sleep 1000"], check=False).code == 1


def test_a_power_cut_ends_everything_and_keeps_the_disk(boot):
    host = boot(salve=False)
    boot_id = host.read("/proc/sys/kernel/random/boot_id")
    host.write("/etc/written", "before\n")
    background = host.start(["sleep", "1000"])
    host.power_cut()
    assert background.wait(10) != 0
    assert host.read("/proc/sys/kernel/random/boot_id") != boot_id
    assert host.read("/etc/written") == "before\n"
    assert host.wait_site().get("/health/").status == 200


def test_a_reboot_stops_the_services_in_order(boot):
    host = boot(salve=False)
    host.reboot()
    assert host.wait_site().get("/health/").status == 200
    assert "Shutting down: Master" in host.journal("gunicorn", "--boot=-1")


def test_a_disk_of_its_own_is_a_real_file_system_that_can_be_full(boot):
    host = boot(Spec(disks=(("/var/lib/salve", 8 * spec.MIB),)), salve=False)
    assert host.run("stat -f -c %T /var/lib/salve").stdout.strip() == "ext2/ext3"
    host.fill_disk("/var/lib/salve")
    with pytest.raises(CommandFailed, match="No space left"):
        host.write("/var/lib/salve/more", "x" * 8192)
    host.power_cut()
    host.free_disk("/var/lib/salve")
    host.write("/var/lib/salve/more", "x" * 8192)
    host.mount_small("/etc/site")
    assert "lab-secret-key" in host.read("/etc/site/gunicorn.env")
    host.fill_disk("/etc/site")
    with pytest.raises(CommandFailed, match="No space left"):
        host.write("/etc/site/more", "x" * 8192)


def test_the_journal_takes_kernel_lines_where_asked_for(boot):
    host = boot(Spec(kernel_log=True), salve=False)
    mark = f"lab kernel line of {host.address}"
    host.kernel_line(mark)
    assert host.wait_journal(mark, "_TRANSPORT=kernel") == [mark]


def test_a_demonstration_shows_commands_and_ends_at_what_it_did_not_see(boot):
    host = boot(salve=False, name="demo")
    out = io.StringIO()
    steps = Steps(out)
    steps.step("Ask the host")
    assert steps.command(host, "echo one; echo two; exit 4", last=1).code == 4
    steps.expect(True, "it answers")
    with pytest.raises(LabError, match="step 1: not seen: it flies"):
        steps.expect(False, "it flies")
    assert out.getvalue() == ("\n1. Ask the host\n   demo# echo one; echo two; exit 4\n   | two\n   exit code 4\n"
                              "   seen: it answers\n   not as announced: it flies\n")


def test_variants_are_asked_for_by_words():
    assert spec.spec_from_words("gthread,socket,timeout=5") == Spec(worker="gthread", bind="socket", timeout=5)
    assert spec.spec_from_words("") == Spec()
    with pytest.raises(LabError, match="unknown variant 'gthraed'"):
        spec.spec_from_words("gthraed")


def test_a_machine_without_what_the_lab_needs_is_told_what_is_missing(monkeypatch):
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root: run it with sudo"):
        machine.require()
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(LabError, match="apt-get install .*mmdebstrap.*systemd-container"):
        machine.require()
