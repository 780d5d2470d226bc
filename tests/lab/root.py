# SPDX-License-Identifier: Apache-2.0
"""The Debian root that all lab hosts share read-only.

It is made by mmdebstrap from the packages of the group `host` in packaging/packages and by root-recipe.sh, and kept
under a name that is the hash of both: change either and the next lab builds a new one. It is built beside its
place under a lock and moved there when it is whole, so an interrupted build leaves nothing that looks like a root.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

from .machine import PACKAGES, LabError

CACHE = pathlib.Path("/var/cache/salve-lab")
RECIPE = pathlib.Path(__file__).with_name("root-recipe.sh")
SUITE = "bookworm"
KEEP_UNUSED_SECONDS = 7 * 24 * 3600


def host_packages():
    rows = (line.split() for line in PACKAGES.read_text().splitlines())
    return sorted({row[1] for row in rows if len(row) >= 2 and row[0] == "host"})


def ready_root():
    """The path of the shared root, built now if it has not been (20 to 40 seconds)."""
    recipe = RECIPE.read_bytes()
    key = hashlib.sha256("\0".join([SUITE, *host_packages()]).encode() + b"\0" + recipe).hexdigest()[:16]
    root = CACHE / f"root-{key}"
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_old(root)
        if not root.exists():
            build(root, recipe)
        (CACHE / f"{root.name}.used").touch()
    return root


def build(root, recipe):
    print("lab: building the Debian root that all hosts share (once, about half a minute)", file=sys.stderr)
    started = time.monotonic()
    building = CACHE / f"building-{root.name}"
    argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(host_packages())}",
            SUITE, str(building)]
    if os.environ.get("SALVE_LAB_MIRROR"):
        argv.append(os.environ["SALVE_LAB_MIRROR"])
    try:
        said = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        if said.returncode != 0:
            raise LabError("mmdebstrap could not build the lab's root:\n" + "\n".join(said.stdout.splitlines()[-15:]))
        said = subprocess.run(["chroot", str(building), "/bin/sh", "-s"], input=recipe,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if said.returncode != 0:
            raise LabError(f"{RECIPE.name} failed in the lab's root:\n" + said.stdout.decode(errors="replace"))
        building.rename(root)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    print(f"lab: root ready after {time.monotonic() - started:.0f} s", file=sys.stderr)


def remove_old(current):
    """Under the lock: half-built roots of builders that were killed, and roots that no lab has asked for in a week."""
    for path in CACHE.glob("building-*"):
        shutil.rmtree(path)
    for path in CACHE.glob("root-*"):
        if path == current or path.suffix == ".used":
            continue
        used = CACHE / f"{path.name}.used"
        if not used.exists() or used.stat().st_mtime < time.time() - KEEP_UNUSED_SECONDS:
            shutil.rmtree(path)
            used.unlink(missing_ok=True)
