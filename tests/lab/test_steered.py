# SPDX-License-Identifier: Apache-2.0
"""An application's user owns its directory. Whatever he puts there, salve does for him only what he could do himself."""

import pytest

from lab import Spec
from lab.playbooks import SERVICE, align, gunicorn
from lab.playbooks import playbook as text_of
from lab.runs import KEPT, REFUSED, leftovers, run, untouched

APP = "/srv/app"
CONF = f"{APP}/gunicorn.conf.py"
SPEC = Spec(settings="file", timeout=60)
TIMEOUT = gunicorn(timeout="70s")
VICTIM = 'LANG="C.UTF-8"\nworkers = 3\n'  # valid Python, too


def playbook(*changes):
    """How fast the host answers is not what these tests are about."""
    return text_of(*changes, checks=(SERVICE,))


def app_of_django(host, conf=CONF):
    """The usual layout: django owns his directory, and the settings in it."""
    host.run(f"mkdir -p {APP} && cp /etc/site/gunicorn.conf.py {CONF} && chown -R django:django {APP} && "
             f"sed -i 's,-c /etc/site/gunicorn.conf.py,-c {conf},' /etc/systemd/system/gunicorn.service && "
             f"systemctl daemon-reload")
    if conf == CONF:
        restart(host)


def restart(host):
    host.systemctl("restart", "gunicorn")
    host.wait_site()


def django(host, command):
    return host.run(command, user="django")


def refused(host, playbook_text):
    with untouched(host):
        ended = run(host, playbook_text, "--accept-pending")
    assert ended.code == REFUSED, ended
    return ended


@pytest.fixture
def host(boot):
    host = boot(SPEC)
    app_of_django(host)
    return host


def test_a_users_own_file_is_edited(host):
    assert run(host, playbook(TIMEOUT)).code == KEPT
    assert "timeout = 70" in host.read(CONF)
    assert host.run(f"stat -c %U {CONF}").stdout.strip() == "django"
    assert not leftovers(host)


def test_a_link_to_a_file_of_roots_is_refused_and_named(host):
    host.write("/etc/default/victim", VICTIM)
    django(host, f"ln -sf /etc/default/victim {CONF}")
    restart(host)
    ended = refused(host, playbook(TIMEOUT))
    assert ended.said(CONF) and ended.said("/etc/default/victim") and ended.said("user django"), ended
    assert host.read("/etc/default/victim") == VICTIM


def test_a_link_to_a_secret_of_roots_shows_nothing_of_it(host):
    host.write("/etc/secret.py", "timeout = 2\ntoken = 'hunter2'\n", mode=0o600)
    django(host, f"ln -sf /etc/secret.py {CONF}")
    ended = refused(host, playbook(TIMEOUT))
    assert ended.said("cannot read /etc/secret.py"), ended
    assert not ended.said("hunter2"), ended
    for words in (["plan", "/root/playbooks/test.yaml"], ["diagnose"], ["plan", "/root/playbooks/test.yaml", "--json"]):
        done = host.salve(*words)
        assert "hunter2" not in done.stdout + done.stderr, done.stdout


def test_a_directory_that_a_user_replaced_by_a_link_is_refused(boot):
    host = boot(SPEC)
    app_of_django(host, conf=f"{APP}/conf/gunicorn.conf.py")
    host.run("mkdir /etc/other && echo 'workers = 3' >/etc/other/gunicorn.conf.py")
    django(host, f"ln -s /etc/other {APP}/conf")
    restart(host)
    ended = refused(host, playbook(TIMEOUT))
    assert ended.said("/etc/other/gunicorn.conf.py") and ended.said(f"{APP}/conf"), ended


def test_a_link_of_roots_that_a_user_could_have_moved_is_refused(host):
    host.write("/etc/default/victim", VICTIM)
    host.run(f"ln -sf /etc/default/victim {APP}/root-made")
    django(host, f"mv {APP}/root-made {CONF}")
    ended = refused(host, playbook(TIMEOUT))
    assert ended.said("/etc/default/victim") and ended.said("user django"), ended


def test_a_second_name_for_a_secret_of_roots_shows_nothing_of_it(host):
    host.write("/srv/secret.py", "workers = 3\ntoken = 'hunter2'\n", mode=0o600)
    host.run(f"ln -f /srv/secret.py {CONF}")  # what a kernel without fs.protected_hardlinks lets django do
    ended = refused(host, playbook(TIMEOUT))
    assert ended.said("hard links") and ended.said(CONF) and not ended.said("hunter2"), ended


def test_releases_behind_a_link_of_the_deploying_user_are_edited(boot):
    host = boot(SPEC)
    app_of_django(host, conf=f"{APP}/current/gunicorn.conf.py")
    django(host, f"mkdir -p {APP}/releases/7 && mv {CONF} {APP}/releases/7/ && ln -s releases/7 {APP}/current")
    restart(host)
    assert run(host, playbook(TIMEOUT)).code == KEPT
    assert "timeout = 70" in host.read(f"{APP}/releases/7/gunicorn.conf.py")


def test_releases_behind_a_link_that_root_made_for_him_are_edited(boot):
    host = boot(SPEC)
    app_of_django(host, conf=f"{APP}/current/gunicorn.conf.py")
    django(host, f"mkdir -p {APP}/releases/7 && mv {CONF} {APP}/releases/7/ && chmod 775 {APP} {APP}/releases/7")
    host.run(f"ln -s releases/7 {APP}/current")
    restart(host)
    assert run(host, playbook(TIMEOUT)).code == KEPT


def test_links_of_roots_in_directories_of_roots_are_followed(boot):
    host = boot(SPEC)
    app_of_django(host)
    host.run(f"mv /etc/systemd/system/gunicorn.service /etc/site/ && "
             f"ln -s /etc/site/gunicorn.service /etc/systemd/system/ && mv {CONF} /srv/conf.py && "
             f"chown django /srv/conf.py && mkdir /etc/links && ln -s /srv/conf.py /etc/links/ && "
             f"sed -i 's,{CONF},/etc/links/conf.py,' /etc/site/gunicorn.service && "
             f"systemctl daemon-reload && systemctl restart gunicorn")
    host.wait_site()
    assert host.run("test -L /etc/nginx/sites-enabled/*").code == 0
    assert run(host, playbook(gunicorn(timeout="70s"), align())).code == KEPT
    assert "timeout = 70" in host.read("/srv/conf.py")


def test_nginx_is_not_tested_with_a_module_that_a_user_can_write(boot):
    host = boot(SPEC)
    app_of_django(host)
    host.run(f"install -o django -m 644 /dev/null {APP}/evil.so && "
             f"echo 'load_module {APP}/evil.so;' >/etc/nginx/modules-enabled/evil.conf")
    ended = refused(host, playbook(gunicorn(timeout="70s"), align()))
    assert ended.said("nginx loads code as root") and ended.said(f"{APP}/evil.so") and ended.said("user django"), ended


def test_nginx_is_tested_without_a_trace_on_the_host(boot):
    host = boot(SPEC)
    host.run("mkdir -p /srv/logs && chown www-data /srv/logs && chmod 700 /srv/logs")
    host.write("/etc/nginx/conf.d/odd.conf", """
proxy_cache_path /srv/cache keys_zone=one:1m;
server { listen unix:/run/odd.sock; listen 888; server_name odd; access_log /srv/logs/odd.log; error_log stderr;
location / { proxy_pass http://localhost:8000; proxy_cache one; } }
""")
    host.write("/etc/nginx/conf.d/zz.conf", "server { listen 203.0.113.9:81; }\n")  # what nginx finds out last
    ended = refused(host, playbook(gunicorn(timeout="70s"), align()))
    assert ended.said("203.0.113.9:81"), ended
    assert host.run("ls /srv/cache /srv/logs/odd.log /run/odd.sock", check=False).stdout == ""
