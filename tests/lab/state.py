# SPDX-License-Identifier: Apache-2.0
"""A host's state as a whole, to compare before and after: files with everything that makes them, and units.

Not compared, and why:
- times of files: a rollback by exchange keeps them, one by copy need not, and no program here acts on them
- __pycache__: Python writes it whenever it imports
- units that are dormant (loaded or not found, inactive, no failure): systemd forgets and reloads them as it likes
- units that exist only while something runs: what systemd-run, logins and credentials leave for a moment
"""

import dataclasses
import fnmatch
import json
import pathlib

PATHS = ("/etc", "/srv", "/usr/local", "/usr/lib/systemd/system", "/run/systemd/system")

SKIPPED_NAMES = ("__pycache__",)

TRANSIENT_UNITS = (
    "run-*",                # systemd-run's services and scopes, credentials' mounts
    "session-*.scope",      # logins
    "user@*.service",
    "user-runtime-dir@*.service",
    "user-*.slice",
    "salve-*",              # salve carries a run in units of its own
    "*.device",             # come and go with the machine's devices
)

PROBE = pathlib.Path(__file__).with_name("state-probe.py")


@dataclasses.dataclass(frozen=True)
class State:
    files: dict   # path -> {"type", "owner", "mode", "xattrs", "content" or "target"}
    units: dict   # name -> "load active sub"


def take(host, paths=PATHS):
    asked = json.dumps({"paths": list(paths), "skip": SKIPPED_NAMES})
    files = json.loads(host.run(["/usr/bin/python3", "-c", PROBE.read_text(), asked]).stdout)
    listed = host.run(["systemctl", "list-units", "--all", "--output=json"]).stdout
    units = {}
    for unit in json.loads(listed):
        dormant = unit["active"] == "inactive" and unit["load"] in ("loaded", "not-found", "masked")
        transient = any(fnmatch.fnmatch(unit["unit"], pattern) for pattern in TRANSIENT_UNITS)
        if not dormant and not transient:
            units[unit["unit"]] = f'{unit["load"]} {unit["active"]} {unit["sub"]}'
    return State(files, units)


def diff_state(before, after):
    """What differs, one readable line each; empty where nothing does."""
    lines = []
    for path in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(path), after.files.get(path)
        if old is None or new is None:
            lines.append(f"{path}: {'appeared' if old is None else 'is gone'}")
            continue
        for part in sorted(old.keys() | new.keys()):
            if old.get(part) != new.get(part):
                lines.append(f"{path}: {part} {old.get(part)} -> {new.get(part)}")
    for unit in sorted(before.units.keys() | after.units.keys()):
        old, new = before.units.get(unit, "dormant"), after.units.get(unit, "dormant")
        if old != new:
            lines.append(f"{unit}: {old} -> {new}")
    return lines
