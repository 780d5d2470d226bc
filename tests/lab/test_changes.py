# SPDX-License-Identifier: Apache-2.0
"""Each kind of change on a real host: what it writes, that it has effect, and where it refuses."""

import json

from lab import Spec, diff_state
from lab.playbooks import HEALTH, SERVICE, TIMEOUT, gunicorn, playbook
from lab.runs import KEPT, REFUSED, leftovers, master_argv, refusal, run, salve, salve_json

SITE = "/etc/nginx/sites-available/site"


def kept(host, *changes, checks=(HEALTH, SERVICE)):
    ended = run(host, playbook(*changes, checks=checks))
    assert ended.code == KEPT, ended
    assert leftovers(host) == []
    return ended


def taken_back(host, before):
    """A rollback of the last run brings the state before it."""
    back = salve(host, "rollback", "--yes", "--verify", "once")
    assert back.code == KEPT, back
    assert diff_state(before, host.snapshot_state()) == []


def test_a_setting_is_changed_where_it_has_effect_and_not_where_it_only_stands(boot):
    host = boot(Spec(settings="file"))
    host.run("sed -i 's/ -c / --timeout 2 -c /' /etc/systemd/system/gunicorn.service && "
             "systemctl daemon-reload && systemctl restart gunicorn")
    host.wait_site()
    conf = host.read("/etc/site/gunicorn.conf.py")
    kept(host, TIMEOUT)
    assert "--timeout 5 " in master_argv(host)
    assert host.read("/etc/site/gunicorn.conf.py") == conf


def test_a_second_change_continues_in_the_same_drop_in_and_both_are_taken_back(boot):
    host = boot()
    before = host.snapshot_state()
    kept(host, TIMEOUT)
    between = host.snapshot_state()
    kept(host, gunicorn(workers=2))
    assert "--timeout 5 " in master_argv(host) and "--workers 2 " in master_argv(host)
    taken_back(host, between)
    first = salve_json(host, "history")["runs"][-1]["run"]
    assert salve(host, "rollback", "--yes", "--verify", "once", first).code == KEPT
    assert diff_state(before, host.snapshot_state()) == []


def test_more_threads_are_told_to_take_the_meaning_from_the_timeout(boot):
    host = boot()
    host.write("/root/playbooks/threads.yaml", playbook(gunicorn(threads=2)))
    plan = salve_json(host, "plan", "/root/playbooks/threads.yaml")
    assert any(note["level"] == "warning" and "timeout" in note["text"] for note in plan["notes"]), plan["notes"]
    kept(host, gunicorn(threads=2))
    assert "Using worker: threads" in host.journal("gunicorn")


def test_a_unit_setting_is_read_back_as_property(boot):
    host = boot()
    before = host.snapshot_state()
    kept(host, {"unit": {"unit": "gunicorn.service", "set": {"TimeoutStopSec": "25s", "OOMPolicy": "continue"}}})
    assert host.show("gunicorn", "TimeoutStopUSec") == "25s"
    assert host.show("gunicorn", "OOMPolicy") == "continue"
    taken_back(host, before)
    assert host.show("gunicorn", "TimeoutStopUSec") == "10s"


def test_nginx_is_set_in_the_named_location_only(boot):
    host = boot(Spec(nginx="sites"))
    site, shop = host.read(SITE), host.read("/etc/nginx/sites-available/shop")
    kept(host, {"nginx": {"server": "shop.test", "location": "/", "set": {"proxy_read_timeout": "90s"}}},
         checks=(HEALTH,))
    assert host.read(SITE) == site
    assert host.read("/etc/nginx/sites-available/shop") == shop.replace("proxy_read_timeout 60s;",
                                                                        "proxy_read_timeout 90s;")


def test_a_directive_that_is_missing_is_put_into_its_block_in_the_blocks_indentation(boot):
    host = boot(Spec(proxy_read_timeout=None))
    before = host.read(SITE)
    kept(host, {"nginx": {"upstream_of": "gunicorn.service", "set": {"proxy_read_timeout": "90s"}}}, checks=(HEALTH,))
    added = [line for line in host.read(SITE).splitlines() if line not in before.splitlines()]
    assert [line.split() for line in added] == [["proxy_read_timeout", "90s;"]]
    assert added[0].startswith(" " * 8) and not added[0].startswith(" " * 9)


def test_a_server_that_does_not_exist_is_answered_with_those_that_do(boot):
    host = boot(Spec(nginx="sites"))
    ended = refusal(host, playbook({"nginx": {"server": "shpo.test", "set": {"proxy_read_timeout": "90s"}}},
                                   checks=(HEALTH,)))
    assert ended.said("shop.test") and ended.said("files.test"), ended


def test_a_template_makes_a_file_that_serves_and_goes_away_again(boot):
    host = boot()
    host.write("/etc/salve/templates/status", "{{! escape: nginx }}\nserver {\n    listen 8099;\n"
                                              "    location / { return 200 \"{{ gunicorn.workers }} workers\"; }\n}\n")
    before = host.snapshot_state()
    kept(host, {"template": {"name": "status", "path": "/etc/nginx/conf.d/status.conf"}})
    assert host.get("/", port=8099).body == b"3 workers"
    taken_back(host, before)
    assert host.get("/", port=8099).status == 0


def test_a_link_is_switched_and_switched_back(boot):
    host = boot(Spec(nginx="sites"))
    link = "/etc/nginx/sites-enabled/files"
    host.run("sed 's/files.test/other.test/' /etc/nginx/sites-available/files >/etc/nginx/sites-available/other")
    before = host.snapshot_state()
    kept(host, {"symlink": {"path": link, "target": "../sites-available/other"}}, checks=(HEALTH,))
    assert host.run(["readlink", link]).stdout == "../sites-available/other\n"
    assert host.get("/hello.txt", host="other.test").body == b"served by nginx\n"
    taken_back(host, before)


def test_files_outside_the_managed_roots_are_not_written(boot):
    host = boot()
    host.write("/etc/salve/templates/evil", "{{! escape: raw }}\nroot::0:0::/root:/bin/sh\n")
    for path in ("/etc/passwd", "/etc/nginx/../passwd", "/srv/site/current/project/settings.py"):
        ended = run(host, playbook({"template": {"name": "evil", "path": path}}))
        assert ended.code in (2, REFUSED), ended
    ended = refusal(host, playbook({"symlink": {"path": "/etc/passwd", "target": "/etc/nginx/nginx.conf"}}))
    assert ended.said("managed root"), ended


def test_a_plan_of_every_kind_is_one_diff_a_file_and_one_restart(boot):
    host = boot(Spec(settings="file", proxy_read_timeout="3s"))
    host.write("/root/playbooks/all.yaml", playbook(
        gunicorn(timeout="5s"), gunicorn(workers=2), {"restart": {"unit": "gunicorn.service"}},
        {"nginx": {"upstream_of": "gunicorn.service", "align": {"margin": "5s"}}}))
    plan = json.loads(host.salve("--json", "plan", "/root/playbooks/all.yaml", check=True).stdout)
    paths = [edit["path"] for edit in plan["edits"]]
    assert len(paths) == len(set(paths)) and {"/etc/site/gunicorn.conf.py", SITE} <= set(paths)
    assert [effect["effect"] for effect in plan["effects"]].count("restart") == 1
