# SPDX-License-Identifier: Apache-2.0
"""Attempts to defeat the recovery of a run: whatever is done to the carrier, to its recovery or to the host, nobody has
to start anything for the host to be wholly old or wholly new."""

import pathlib
import shutil
import subprocess

import pytest

from lab import Spec
from lab.machine import REPOSITORY
from lab.playbooks import SERVICE, TIMEOUT, align, http, playbook
from lab.runs import KEPT, ROLLED_BACK, leftovers, master_argv, restored, run, salve_json, settle, start

LONG = playbook(TIMEOUT, align(), window="60s")
CHECKS = (http("health", limit="5s"), SERVICE)  # a busy machine is no reason
SHORT = playbook(TIMEOUT, align(), checks=CHECKS)
BOTH = Spec(settings="file", proxy_read_timeout="3s")
CONFIG = "/etc/site/gunicorn.conf.py"


def tune(host, *lines):
    """A drop-in for the units of all runs."""
    host.write("/etc/systemd/system/salve-run-.service.d/test.conf", "\n".join(["[Service]", *lines, ""]))
    host.systemctl("daemon-reload")


def under_way(host, state="verifying", text=LONG, **options):
    carried = start(host, text, **options)
    carried.wait_event(event="state", state=state)
    return carried


def record_of(host, which="last"):
    return salve_json(host, "show", which)


def unit_of(carried):
    return f"salve-run-{carried.wait_event(event='state')['run']}.service"


def kill_main(host, unit, name="KILL"):
    host.run(["systemctl", "kill", "--kill-whom=main", f"--signal={name}", unit])


def test_a_carrier_that_hangs_is_killed_by_the_watchdog(boot):
    host = boot(BOTH)
    tune(host, "WatchdogSec=4s")
    with restored(host), under_way(host) as carried:
        carried.signal("STOP")
        ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
    assert "Watchdog timeout" in host.journal("init.scope") + host.journal("salve-run-*")


def test_the_watchdog_leaves_a_healthy_run_alone(boot):
    host = boot(BOTH)
    tune(host, "WatchdogSec=4s")
    assert run(host, playbook(TIMEOUT, align(), window="12s")).code == KEPT


def test_systemd_may_be_executed_anew_meanwhile(boot):
    host = boot(BOTH)
    with under_way(host, text=playbook(TIMEOUT, align(), window="5s")) as carried:
        host.systemctl("daemon-reexec")
        assert carried.end().code == KEPT
    host.salve("rollback", "--yes", "--verify", "once", check=True)
    with restored(host), under_way(host) as carried:
        host.systemctl("daemon-reexec")
        carried.signal("KILL")
        assert carried.end().code == ROLLED_BACK


def test_a_recovery_may_be_slower_than_any_limit_for_stopping(boot):
    host = boot(BOTH)
    tune(host, "ExecStopPost=")  # the admin's mistake: what is left is OnFailure
    with restored(host), under_way(host) as carried:
        carried.signal("KILL")
        assert carried.end().code == ROLLED_BACK
    host.run(["rm", "-r", "/etc/systemd/system/salve-run-.service.d"])
    host.write("/etc/systemd/system.conf.d/short.conf", "[Manager]\nDefaultTimeoutStopSec=1s\nDefaultTimeoutStartSec=1s\n")
    host.systemctl("daemon-reexec")
    with restored(host), under_way(host) as carried:
        unit = unit_of(carried)
        assert host.show(unit, "TimeoutStopUSec") == "infinity"
        carried.signal("KILL")
        assert carried.end().code == ROLLED_BACK


def test_a_recovery_that_is_killed_is_begun_again(boot):
    host = boot(BOTH)
    tune(host, "ExecStopPost=", "ExecStopPost=/bin/sh -c 'kill -9 $$$$'")
    with restored(host), under_way(host) as carried:
        carried.signal("KILL")
        ended = carried.end()
    assert ended.code == ROLLED_BACK, ended


def test_the_recovery_unit_is_started_again_where_somebody_stopped_it(boot):
    host = boot(BOTH)
    tune(host, "ExecStopPost=")
    host.write("/etc/systemd/system/salve-recover.timer.d/test.conf",
               "[Timer]\nOnActiveSec=\nOnUnitInactiveSec=\nOnActiveSec=1s\nOnUnitInactiveSec=1s\nAccuracySec=1ms\n")
    host.write("/etc/systemd/system/salve-recover.service.d/test.conf",
               "[Service]\nExecStartPre=/bin/sh -c '[ -e /run/let-it ] || kill -9 $$$$'\nRestart=no\n")
    host.systemctl("daemon-reload")
    with restored(host), under_way(host) as carried:
        carried.signal("KILL")
        host.wait_journal("Failed with result", "--unit=salve-recover.service", "--all", count=2)
        host.write("/run/let-it", "")
        assert carried.end().code == ROLLED_BACK
    host.run("while systemctl is-active --quiet salve-recover.timer; do :; done", timeout=30)


def test_an_idle_host_has_no_timer_ticking(boot):
    host = boot(BOTH)
    assert host.show("salve-recover.timer", "ActiveState") == "inactive"
    with under_way(host) as carried:
        assert host.show("salve-recover.timer", "ActiveState") == "active"
        carried.signal("TERM")
        assert carried.end().code == ROLLED_BACK
    host.run("while systemctl is-active --quiet salve-recover.timer; do :; done", timeout=30)


def test_a_child_that_ignores_being_asked_is_gone_with_the_carrier(boot):
    host = boot(BOTH)
    tune(host, "ExecStartPre=/bin/sh -c '(trap \"\" TERM INT HUP; exec sleep 987) & true'")
    with restored(host), under_way(host) as carried:
        carried.signal("KILL")
        assert carried.end().code == ROLLED_BACK
    assert host.run("pgrep --full '^sleep 987'", check=False).code == 1


def test_the_program_that_began_a_run_finishes_it(boot):
    host = boot(BOTH)
    with restored(host):
        with under_way(host) as carried:
            host.run("set -e; p=$(command -v salve); mv $p /root/salve; printf '#!/bin/sh\\nexit 1\\n' >$p; chmod 755 $p")
            kill_main(host, unit_of(carried))
            assert carried.end().code == ROLLED_BACK
        host.run("mv /root/salve $(command -v salve)")
    kept = host.run("ls /var/lib/salve/bin").stdout.split()
    assert len(kept) == 1 and kept[0].startswith("salve-"), kept


def test_another_build_lets_the_one_that_began_a_run_finish_it(boot):
    host = boot(BOTH)
    tune(host, "ExecStopPost=", "OnFailure=")
    host.systemctl("mask", "--runtime", "salve-recover.service")
    with restored(host):
        with under_way(host) as carried:
            carried.signal("KILL")
            host.run("while [ -n \"$(systemctl list-units --plain --no-legend 'salve-run-*')\" ]; do :; done", timeout=20)
            host.run("set -e; p=$(command -v salve); cp $p $p.new; touch $p.new; mv $p.new $p")
            pinned = host.run("ls /var/lib/salve/bin/").stdout.strip()
            traced = host.run(["strace", "-f", "-qq", "-e", "trace=execve", "salve", "recover"], check=False)
            carried.end()
        assert f'execve("/var/lib/salve/bin/{pinned}"' in traced.stderr, traced
    assert record_of(host)["state"] == "rolled-back"


def test_a_shutdown_in_the_middle_and_the_next_boot(boot):
    host = boot(BOTH)
    before = host.read(CONFIG)
    site = host.read("/etc/nginx/sites-available/site")
    with under_way(host):
        host.reboot()
    host.wait_site()
    settle(host)
    assert host.read(CONFIG) == before and host.read("/etc/nginx/sites-available/site") == site
    assert "--timeout 5" not in master_argv(host) and leftovers(host) == []
    assert record_of(host)["state"] == "rolled-back"


def test_files_are_back_before_services_start_after_a_power_cut(boot):
    host = boot(BOTH)
    before = host.read(CONFIG)
    with under_way(host):
        host.power_cut()
    host.wait_site()
    host.run("while systemctl is-active --quiet salve-recover.service || "
             "[ \"$(systemctl show --value --property ActiveState salve-recover.service)\" = activating ]; do :; done")
    assert host.read(CONFIG) == before and leftovers(host) == []
    assert record_of(host)["state"] == "rolled-back"
    restored_at = int(host.show("salve-restore.service", "ExecMainExitTimestampMonotonic"))
    assert 0 < restored_at <= int(host.show(host.unit, "ExecMainStartTimestampMonotonic"))


def test_services_that_a_boot_has_just_started_have_time_to_pass_the_checks(boot):
    host = boot(BOTH)
    text = playbook(TIMEOUT, align(), checks=(http("health", limit="300ms"), SERVICE), settle="5s", window="60s")
    with under_way(host, text=text):
        host.knob("import-delay", "1.5")
        host.power_cut()
    settle(host)
    record = record_of(host)
    assert record["state"] == "rolled-back", record
    assert host.get("/health/").status == 200


FORGER = r"""
# Tells whoever is salve that each job which systemd knows has ended.
while :; do
    to=$(busctl list --acquired --unique --no-legend 2>/dev/null | awk '$3 == "salve" || $3 ~ /^salve-/ {print $1}')
    busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager ListJobs --json=short |
        tr '[' '\n' | awk -F'[,"]' -v unit=gunicorn.service '$3 == unit {print $1}' | while read -r id; do
        for name in $to; do
            busctl --destination="$name" emit /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager JobRemoved uoss \
                "$id" "/org/freedesktop/systemd1/job/$id" gunicorn.service "$0" && echo "forged $id for $name"
        done
    done
done
"""


@pytest.mark.parametrize("result", ["failed", "done", "canceled"])
def test_the_end_of_a_job_is_not_believed_from_others_than_systemd(boot, result):
    host = boot(BOTH)
    host.write("/etc/systemd/system/gunicorn.service.d/slow.conf", "[Service]\nExecStartPre=/bin/sleep 2\n")
    host.systemctl("daemon-reload")
    host.systemctl("restart", "gunicorn")
    host.wait_site()
    forger = host.start(["setpriv", "--reuid=django", "--regid=django", "--init-groups", "timeout", "60", "sh", "-c",
                         FORGER, result], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        ended = run(host, SHORT)
    finally:
        forger.terminate()
        said = forger.communicate()[0]
    assert "forged" in said, "the attack did not take place"
    assert ended.code == KEPT, ended
    assert "timeout" in host.read(CONFIG)


@pytest.fixture
def packaged(boot, salve_path, tmp_path):
    """A host on which salve was installed as a Debian package; /root/salve.deb is that package."""
    if not (pathlib.Path(salve_path) / "meson-info").is_dir():
        pytest.skip("a package is made from a build directory")
    built = subprocess.run([REPOSITORY / "packaging" / "build-deb", salve_path, tmp_path], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (tmp_path / "tree" / "root").mkdir(parents=True)
    shutil.copy(built.stdout.strip(), tmp_path / "tree" / "root" / "salve.deb")
    host = boot(BOTH, salve=False)
    host.install_tree(tmp_path / "tree")
    host.run("dpkg -i /root/salve.deb")
    host.wait_site()
    return host


def test_the_package_is_not_removed_while_a_temporary_change_is_to_end(packaged):
    host = packaged
    ended = run(host, SHORT, "--verify", "once", "--for", "1h")
    assert ended.code == KEPT, ended
    for word in ("-r", "-P"):
        refused = host.run(["dpkg", word, "salve"], check=False)
        assert refused.code != 0 and f"salve rollback {ended.id}" in refused.output, refused
    host.salve("rollback", "--yes", "--verify", "once", check=True)
    host.write("/etc/salve/playbooks/mine.yaml", "# mine\n")
    purged = host.run("dpkg -P salve")
    assert "/etc/salve stays" in purged.output, purged
    left = host.run("find /etc /run /var/lib -name '*salve*' -not -path '/var/lib/dpkg/*'").stdout.split()
    assert left == ["/etc/salve"], left


def test_the_package_can_be_upgraded_but_not_removed_while_a_run_is_hot(packaged):
    host = packaged
    with restored(host), under_way(host) as carried:
        refused = host.run("dpkg -r salve", check=False)
        assert refused.code != 0 and "salve recover" in refused.output, refused
        host.run("dpkg -i /root/salve.deb")
        carried.signal("KILL")
        assert carried.end().code == ROLLED_BACK
    host.run("dpkg -r salve")
    assert host.run("command -v salve", check=False).code != 0
    assert host.exists("/var/lib/salve/ledger.db"), "what was done to the host is forgotten"
    host.run("dpkg -P salve")
    assert not host.exists("/var/lib/salve")
