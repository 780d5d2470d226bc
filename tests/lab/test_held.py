# SPDX-License-Identifier: Apache-2.0
"""A service is restarted together with what it holds: its socket's name, what is bound to it, the way from nginx."""

import pytest

from lab import Spec
from lab.playbooks import SERVICE, gunicorn, http, nginx_timeout, playbook
from lab.runs import KEPT, ROLLED_BACK, STUCK, leftovers, refusal, run, salve, salve_json, start

SOCKET = Spec(bind="socket", settings="file", timeout=30)
LONGER = gunicorn(timeout="60s")
SERVICE_FILE = "/etc/systemd/system/gunicorn.service"
PATIENT = http("health", limit="9s", samples=1, failure_limit=0)


def set_service(host, *lines, section="Service"):
    text = host.read(SERVICE_FILE)
    host.write(SERVICE_FILE, text.replace(f"[{section}]\n", f"[{section}]\n" + "".join(f"{line}\n" for line in lines)))


def start_anew(host):
    host.run("systemctl daemon-reload; systemctl stop gunicorn.service gunicorn.socket; "
             "systemctl start gunicorn.socket gunicorn.service; systemctl restart nginx")
    host.wait_site()


def in_runtime_directory(host, requires=True):
    """gunicorn.socket listens in the RuntimeDirectory= of its service."""
    host.run("sed -i 's#/run/gunicorn.sock#/run/gunicorn/socket#' "
             "/etc/systemd/system/gunicorn.socket /etc/nginx/sites-available/site")
    set_service(host, "RuntimeDirectory=gunicorn")
    if not requires:
        host.run(f"sed -i '/^Requires=/d' {SERVICE_FILE}")
    start_anew(host)


def is_up(host):
    sockets = host.run("systemctl is-active gunicorn.socket gunicorn.service", check=False).stdout.split()
    return host.get("/health/").status == 200 and sockets == ["active", "active"]


@pytest.mark.parametrize("requires", [True, False], ids=["required", "not required"])
def test_a_socket_in_the_runtime_directory_is_restarted_with_its_service(boot, requires):
    host = boot(SOCKET)
    in_runtime_directory(host, requires)
    planned = run(host, playbook(LONGER, checks=(PATIENT, SERVICE)))
    assert planned.code == KEPT, planned
    assert is_up(host)
    effect = [effect for effect in planned.events[0]["effects"] if effect["effect"] == "restart"][0]
    assert effect["sockets"] == ["gunicorn.socket"] and effect["refused_usec"] == 4_000_000
    assert "/run/gunicorn/socket (/etc/systemd/system/gunicorn.socket:" in effect["loses"]
    assert f"RuntimeDirectory=gunicorn ({SERVICE_FILE}:" in effect["loses"]


@pytest.mark.parametrize("requires", [True, False], ids=["required", "not required"])
def test_a_rollback_restarts_the_socket_in_the_runtime_directory_as_well(boot, requires):
    host = boot(SOCKET)
    in_runtime_directory(host, requires)
    host.knob("only-if", "timeout 60")
    host.knob("health-500")
    ended = run(host, playbook(LONGER, checks=(PATIENT, SERVICE)))
    assert ended.code == ROLLED_BACK, ended
    assert is_up(host) and not leftovers(host)


def test_a_preserved_runtime_directory_keeps_the_socket(boot):
    host = boot(SOCKET)
    in_runtime_directory(host)
    set_service(host, "RuntimeDirectoryPreserve=restart")
    start_anew(host)
    began = host.show("gunicorn.socket", "InvocationID")
    ended = run(host, playbook(LONGER, checks=(PATIENT, SERVICE)))
    assert ended.code == KEPT, ended
    assert ended.events[0]["refused_usec"] == 0, "the kernel queues connections"
    assert is_up(host) and host.show("gunicorn.socket", "InvocationID") == began


def test_a_restart_that_takes_the_socket_away_is_a_failed_activation_and_comes_back(boot):
    host = boot(SOCKET)
    set_service(host, "ExecStopPost=+/bin/rm -f /run/gunicorn.sock")
    host.run("systemctl daemon-reload")
    ended = run(host, playbook(LONGER, checks=(PATIENT, SERVICE)), "--accept-pending")
    assert ended.code == ROLLED_BACK, ended
    assert "nginx does not reach gunicorn.service" in ended.reason and "ENOENT" in ended.reason, ended
    assert "verifying" not in ended.states(), "the window is not begun for a site that nobody reaches"


def test_a_directory_that_another_gunicorn_listens_in_is_not_removed(boot):
    host = boot(Spec(second=True, timeout=30))
    other = "/etc/systemd/system/gunicorn-admin.service"
    set_service(host, "RuntimeDirectory=site")
    host.run(f"sed -i 's#127.0.0.1:8001#unix:/run/site/admin.sock#; s#^PrivateTmp#RuntimeDirectory=site\\nPrivateTmp#' "
             f"{other}; systemctl daemon-reload; systemctl restart gunicorn gunicorn-admin")
    host.wait_site()
    refused = refusal(host, playbook(LONGER))
    assert refused.said("gunicorn-admin.service could not be reached any more") and refused.said("/run/site/admin.sock")
    assert refused.said("RuntimeDirectoryPreserve=restart"), refused
    host.run("systemctl stop gunicorn-admin")
    assert not host.salve("plan", "/root/playbooks/test.yaml").code, "who does not run loses nothing"
    host.systemctl("start", "gunicorn-admin")
    set_service(host, "RuntimeDirectoryPreserve=restart")
    host.run("systemctl daemon-reload; systemctl restart gunicorn gunicorn-admin")
    host.wait_site()
    assert run(host, playbook(LONGER, checks=(PATIENT, SERVICE))).code == KEPT
    assert host.run("test -S /run/site/admin.sock", check=False).code == 0


def test_a_socket_in_a_directory_of_tmpfiles_is_no_reason_to_refuse_anybody(boot):
    host = boot(SOCKET)
    host.write("/etc/tmpfiles.d/site.conf", "d /run/site 0755 django www-data -\n")
    host.run("systemd-tmpfiles --create site.conf; sed -i 's#/run/gunicorn.sock#/run/site/gunicorn.sock#' "
             "/etc/systemd/system/gunicorn.socket /etc/nginx/sites-available/site")
    start_anew(host)
    ended = run(host, playbook(LONGER, checks=(PATIENT, SERVICE)))
    assert ended.code == KEPT and ended.events[0]["refused_usec"] == 0, ended
    assert is_up(host)


def test_what_is_bound_to_a_service_runs_again_after_a_rollback(boot):
    host = boot(Spec(settings="file", timeout=30))
    host.write("/etc/systemd/system/sidecar.service",
               "[Unit]\nBindsTo=gunicorn.service\nAfter=gunicorn.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    host.run("systemctl daemon-reload; systemctl start sidecar")
    host.knob("only-if", "timeout 60")
    host.knob("master-dies", "2")
    change = gunicorn(timeout="60s", also_affects=["sidecar.service"])
    ended = run(host, playbook(change, checks=(PATIENT, SERVICE), settle="4s"))
    assert ended.code == ROLLED_BACK, ended
    assert host.show("sidecar", "ActiveState") == "active", ended


# A stuck run: what it says is down, and each advice, followed to the letter.

def stuck_by_its_socket(host):
    """The name of the socket goes while a run is under way, and again whenever the socket is started."""
    set_service(host, "ExecStartPost=+/bin/sh -c 'rm -f /run/gunicorn.sock'")
    host.run("systemctl daemon-reload")
    ended = run(host, playbook(LONGER, checks=(PATIENT, SERVICE)), "--accept-pending")
    assert ended.code == STUCK, ended
    assert "nginx does not reach gunicorn.service" in ended.reason and "ENOENT" in ended.reason, ended
    assert "unix:/run/gunicorn.sock" in ended.reason and "site" in ended.reason, ended
    return ended


def repair(host):
    host.run(f"sed -i '/^ExecStartPost=/d' {SERVICE_FILE}; systemctl daemon-reload; "
             "systemctl stop gunicorn.socket gunicorn.service; systemctl start gunicorn.socket gunicorn.service")
    host.wait_site()


def test_recover_again_only_proves_what_a_person_repaired(boot):
    host = boot(SOCKET)
    stuck = stuck_by_its_socket(host)
    again = salve(host, "recover", "--again")
    assert again.code == STUCK and "ENOENT" in again.reason, again
    assert salve_json(host, "show", stuck.id)["state"] == "stuck"
    repair(host)
    began = host.show("gunicorn", "InvocationID"), host.show("gunicorn.socket", "InvocationID")
    again = salve(host, "recover", "--again")
    assert again.code == ROLLED_BACK, again
    assert (host.show("gunicorn", "InvocationID"), host.show("gunicorn.socket", "InvocationID")) == began, again
    assert not again.texts("warning") and is_up(host)
    assert run(host, playbook(gunicorn(timeout="50s"), checks=(PATIENT, SERVICE))).code == KEPT, "the next run works"


def test_recover_acknowledge_opens_the_way_once_the_host_is_right(boot):
    host = boot(SOCKET)
    stuck_by_its_socket(host)
    repair(host)
    began = host.show("gunicorn", "InvocationID")
    assert host.salve("recover", "--acknowledge").code == 0
    assert host.show("gunicorn", "InvocationID") == began and is_up(host)
    assert run(host, playbook(gunicorn(timeout="50s"), checks=(PATIENT, SERVICE))).code == KEPT


def test_a_stuck_run_names_the_unit_that_is_down_and_recover_again_starts_it(boot):
    host = boot(SOCKET)
    with start(host, playbook(LONGER, checks=(PATIENT, SERVICE), window="60s")) as carried:
        carried.wait_event(event="state", state="verifying")
        host.run("chmod 000 /usr/bin/gunicorn")
        host.salve("cancel")
        ended = carried.end()
    assert ended.code == STUCK and "gunicorn.service" in ended.reason, ended
    assert "journalctl -u gunicorn.service" in ended.reason, ended
    host.run("chmod 755 /usr/bin/gunicorn")
    again = salve(host, "recover", "--again")
    assert again.code == ROLLED_BACK, again
    assert is_up(host)


def test_a_reload_that_nginx_refuses_while_it_runs_what_is_on_disk_is_not_stuck(boot):
    host = boot(Spec(settings="file", timeout=60, proxy_read_timeout="90s"))
    host.write("/etc/nginx/conf.d/extra.conf", "include /etc/nginx/extra/one;\n")
    host.run("mkdir /etc/nginx/extra; echo 'map $uri $extra { default 1; }' >/etc/nginx/extra/one; nginx -s reload")
    host.knob("only-if", "timeout 30")
    host.knob("master-dies", "3")
    changes = (gunicorn(timeout="30s"), nginx_timeout("80s"))
    with start(host, playbook(*changes, checks=(PATIENT, SERVICE), settle="6s")) as carried:
        carried.wait_event(event="state", state="activating")
        host.run("rm /etc/nginx/extra/one")
        ended = carried.end()
    assert ended.code == ROLLED_BACK, ended
    assert ended.said("it never had another"), ended
    assert host.get("/health/").status == 200
