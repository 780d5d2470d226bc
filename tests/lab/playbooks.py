# SPDX-License-Identifier: Apache-2.0
"""Playbooks of the tests: like the shipped ones, with short windows.

A playbook is data here, and JSON on the host, which is YAML too. The changes and checks below are what most tests are
about; `playbook` puts them together.
"""

import json

PATH = "/root/playbooks"


def gunicorn(how="exactly", unit="gunicorn.service", also_affects=None, **settings):
    change = {"unit": unit, how: settings}
    if also_affects:
        change["also_affects"] = also_affects
    return {"gunicorn": change}


def align(margin="5s", upstream_of="gunicorn.service"):
    return {"nginx": {"upstream_of": upstream_of, "when_absent": "skip", "align": {"margin": margin}}}


def nginx_timeout(value, upstream_of="gunicorn.service"):
    return {"nginx": {"upstream_of": upstream_of, "set": {"proxy_read_timeout": value}}}


RESTART = {"restart": {"unit": "gunicorn.service"}}
TIMEOUT = gunicorn(timeout="5s")


def http(name, path="/health/", limit="1s", samples=3, **more):
    return {"http": {"name": name, "url": f"http://127.0.0.1{path}", "max": {"max": limit}, "min_samples": samples,
                     **more}}


HEALTH = http("health")
WORKER_TIMEOUTS = {"journal": {"unit": "gunicorn.service", "event": "worker-timeout", "no_more_than": "baseline"}}
UPSTREAM_FAILURES = {"log": {"source": "nginx-error", "event": "upstream-failure", "no_more_than": "baseline"}}
SERVICE = {"unit": {"name": "gunicorn.service", "restarts": 0, "workers": "all"}}


def playbook(*changes, checks=(HEALTH, SERVICE), guards=None, **verify):
    """The text of a playbook that settles for a second and watches for two, unless told otherwise."""
    text = {"salve": 1, "name": "test", "summary": "What a test asks for."}
    if guards:
        text["guards"] = guards
    text["changes"] = list(changes)
    text["verify"] = {"warmup": "100ms", "settle": "1s", "interval": "500ms", "window": "2s", **verify,
                      "checks": list(checks)}
    return json.dumps(text, indent=2) + "\n"


def write_playbook(host, text, name="test"):
    path = f"{PATH}/{name}.yaml"
    host.write(path, text)
    return path
