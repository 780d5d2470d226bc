# SPDX-License-Identifier: Apache-2.0
"""The comparison of a whole host notices everything that a rollback must put back, and nothing else."""

import pytest

from lab import diff_state


@pytest.fixture(scope="module")
def host(boot_for_module):
    return boot_for_module(salve=False)


def lines_after(host, change, undo):
    before = host.snapshot_state()
    host.run(change)
    lines = diff_state(before, host.snapshot_state())
    host.run(undo)
    assert diff_state(before, host.snapshot_state()) == []
    return lines


def test_a_host_left_alone_stays_equal_also_while_it_serves(host):
    before = host.snapshot_state()
    assert host.get("/health/").status == 200
    host.systemctl("restart", "gunicorn")
    host.systemctl("reload", "nginx")
    host.run("systemd-run --wait --quiet true")
    assert diff_state(before, host.snapshot_state()) == []


SITE = "/etc/nginx/sites-available/site"
LINK = "/etc/nginx/sites-enabled/site"

CHANGES = {
    "content": (f"echo '# x' >>{SITE}", f"sed -i '$d' {SITE}", f"{SITE}: content "),
    "mode": (f"chmod 600 {SITE}", f"chmod 644 {SITE}", f"{SITE}: mode 0644 -> 0600"),
    "owner": (f"chown django {SITE}", f"chown root {SITE}", f"{SITE}: owner 0:0 -> "),
    "xattr": (f"setfattr -n user.note -v 1 {SITE}", f"setfattr -x user.note {SITE}", f"{SITE}: xattrs {{}} -> "),
    "acl": (f"setfacl -m u:django:r {SITE}", f"setfacl -b {SITE}", f"{SITE}: xattrs {{}} -> "),
    "link": (f"ln -sfn ../sites-available/site {LINK}", f"ln -sfn {SITE} {LINK}", f"{LINK}: target {SITE} -> "),
    "new": ("touch /etc/.left-behind", "rm /etc/.left-behind", "/etc/.left-behind: appeared"),
    "unit": ("systemctl stop nginx", "systemctl start nginx",
             "nginx.service: loaded active running -> dormant"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_noticed_and_named(host, kind):
    change, undo, line = CHANGES[kind]
    lines = lines_after(host, change, undo)
    assert [found for found in lines if found.startswith(line)], lines
    assert len(lines) == 1, lines


def test_a_failed_unit_is_noticed(host):
    before = host.snapshot_state()
    host.run("systemd-run --unit=broken --wait --quiet false", check=False)
    assert "broken.service: dormant -> loaded failed failed" in diff_state(before, host.snapshot_state())
    host.run("systemctl reset-failed broken")
