#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The layer rule: a file includes only its own layer and layers before it; one .c file per third-party library.

Usage: layers.py AGENT_DIRECTORY"""
import re
import sys
from pathlib import Path

LAYERS = "base data host config store stack change check diagnose playbook run report fleet alert verb".split()
SIBLINGS = {"change", "check", "diagnose"}  # none of them includes another

# Header (prefix) of a third-party library -> the only files that may include it.
LIBRARIES = {
    "yaml.h": "data/yaml.c",
    "jansson.h": "data/json.c",
    "git2": "store/git.c, store/git-library.c",
    "sqlite3.h": "store/db.c",
    "systemd/sd-bus.h": "host/bus.c",
    "systemd/sd-journal.h": "host/journal.c",
    "systemd/sd-daemon.h": "host/daemon.c",
    "systemd/sd-id128.h": None,
    "systemd/sd-event.h": None,
    "systemd/sd-login.h": None,
    "curl/": "host/http.c",
    "pcre2.h": "host/regex.c",
    "openssl/": "base/hash.c",
    "libssh/": "fleet/ssh.c",
    "microhttpd.h": "alert/http.c",
}


def problems(agent):
    seen = 0
    for path in sorted(agent.rglob("*.[ch]")):
        name = path.relative_to(agent).as_posix()
        layer = name.split("/")[0] if "/" in name else "main"
        if layer != "main" and layer not in LAYERS:
            yield f"{name}: folder {layer} is not a layer"
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            where = f"{name}:{number}"
            if match := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
                seen += 1
                yield from own(where, layer, match[1])
            elif match := re.match(r"\s*#\s*include\s+<([^>]+)>", line):
                yield from library(where, name, match[1])
    if seen < 10:
        yield f"only {seen} includes found: is {agent} the agent's folder?"


def own(where, layer, target):
    if target == "config.h":
        return
    if "/" not in target:
        yield f'{where}: include "{target}" must be layer-qualified'
        return
    other = target.split("/")[0]
    if other not in LAYERS:
        yield f'{where}: "{target}" is in no layer'
    elif layer != "main" and LAYERS.index(other) > LAYERS.index(layer):
        yield f'{where}: {layer}/ may not include "{target}" ({other}/ comes after it)'
    elif layer in SIBLINGS and other in SIBLINGS and other != layer:
        yield f'{where}: {layer}/ and {other}/ are siblings, none includes the other'


def library(where, name, target):
    for prefix, owner in LIBRARIES.items():
        if target.startswith(prefix) and name not in (owner or "").split(", "):
            yield f"{where}: <{target}> may be included only by {owner or 'nobody'}"


def main():
    found = list(problems(Path(sys.argv[1])))
    print("\n".join(found) or "the layer rule holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
