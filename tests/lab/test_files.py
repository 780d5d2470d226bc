# SPDX-License-Identifier: Apache-2.0
"""Files and file systems that do not do what one wants of them: refused before anything is touched, or put back."""

from lab import Spec
from lab.playbooks import TIMEOUT, align, playbook
from lab.runs import KEPT, REFUSED, ROLLED_BACK, refusal, restored, run, salve_json, start, untouched
from lab.spec import MIB

FILE = Spec(settings="file")
CONFIG = "/etc/site/gunicorn.conf.py"


def test_an_immutable_file_is_refused(boot):
    host = boot(FILE)
    host.run(f"chattr +i {CONFIG} && systemctl restart gunicorn")
    ended = refusal(host, playbook(TIMEOUT))
    host.run(["chattr", "-i", CONFIG])
    assert ended.said(f"chattr -i {CONFIG}"), ended


def test_a_bind_mounted_file_is_refused(boot):
    host = boot(FILE)
    host.run(f"cp -a {CONFIG} /root/conf")
    host.bind_mount("/root/conf", CONFIG)
    host.systemctl("restart", "gunicorn")
    ended = refusal(host, playbook(TIMEOUT))
    assert ended.said(CONFIG) and ended.said("mount point"), ended


def test_a_read_only_file_system_is_refused(boot):
    host = boot(FILE)
    host.bind_mount("/etc/site", "/etc/site")
    host.run("mount -o remount,bind,ro /etc/site")
    ended = refusal(host, playbook(TIMEOUT))
    assert ended.said("read-only file system"), ended


def test_a_file_of_somebody_else_stays_theirs(boot):
    host = boot(FILE)
    host.run(f"chown django:www-data {CONFIG} && chmod 664 {CONFIG} && systemctl restart gunicorn")
    ended = run(host, playbook(TIMEOUT))
    assert ended.code == KEPT, ended
    assert host.run(f"stat -c '%U %G %a' {CONFIG}").stdout.split() == ["django", "www-data", "664"]


def test_a_link_to_a_site_stays_a_link_and_its_target_keeps_its_acl(boot):
    host = boot(Spec(proxy_read_timeout="3s"))
    site = "/etc/nginx/sites-available/site"
    host.run(f"setfacl -m u:django:r {site} && systemctl reload nginx")
    ended = run(host, playbook(align()), "--accept-pending")
    assert ended.code == KEPT, ended
    assert host.run("readlink /etc/nginx/sites-enabled/site").stdout.strip() == site
    assert "user:django:r" in host.run(["getfacl", "-p", site]).stdout


def test_a_full_disk_is_noticed_before_anything_is_touched(boot):
    host = boot(FILE)
    host.mount_small("/etc/site")
    host.systemctl("restart", "gunicorn")
    host.fill_disk("/etc/site")
    ended = refusal(host, playbook(TIMEOUT))
    assert ended.said("free some space first") or ended.said("No space left"), ended


def test_a_full_state_directory_is_noticed_before_anything_is_touched(boot):
    host = boot(Spec(settings="file", disks=(("/var/lib/salve", 8 * MIB),)))
    host.run("chmod 700 /var/lib/salve")
    host.fill_disk("/var/lib/salve")
    with untouched(host):
        ended = run(host, playbook(TIMEOUT))
    assert ended.code in (1, REFUSED), ended
    assert ended.said("disk is full") or ended.said("No space left"), ended
    host.free_disk("/var/lib/salve")
    assert run(host, playbook(TIMEOUT)).code == KEPT


def test_a_disk_that_is_full_by_then_does_not_stop_the_rollback(boot):
    host = boot(FILE)
    host.mount_small("/etc/site")
    host.systemctl("restart", "gunicorn")
    host.wait_site()
    host.knob("only-if", "timeout 5")
    host.knob("health-500")
    with restored(host):
        with start(host, playbook(TIMEOUT)) as carried:
            carried.wait_event(event="state", state="activating")
            host.fill_disk("/etc/site")
            ended = carried.end()
        host.free_disk("/etc/site")
    assert ended.code == ROLLED_BACK, ended


def test_a_state_directory_that_is_full_by_then_does_not_stop_the_rollback(boot):
    host = boot(Spec(settings="file", disks=(("/var/lib/salve", 8 * MIB),)))
    host.run("chmod 700 /var/lib/salve")
    host.knob("only-if", "timeout 5")
    host.knob("health-500")
    with restored(host):
        with start(host, playbook(TIMEOUT)) as carried:
            carried.wait_event(event="state", state="activating")
            host.fill_disk("/var/lib/salve")
            ended = carried.end()
        host.free_disk("/var/lib/salve")
        assert host.salve("recover").code in (0, ROLLED_BACK)
    assert ended.code == ROLLED_BACK, ended
    assert salve_json(host, "history")["runs"][0]["state"] == "rolled-back"
