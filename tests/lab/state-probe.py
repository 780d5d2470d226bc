# SPDX-License-Identifier: Apache-2.0
# Runs on the lab host: every file below the paths of the JSON argument, with what makes it, as JSON.
import hashlib
import json
import os
import stat
import sys

TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo",
         stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device"}


def describe(path):
    status = os.lstat(path)
    # ACLs and file capabilities are extended attributes too.
    xattrs = {name: os.getxattr(path, name, follow_symlinks=False).hex()
              for name in sorted(os.listxattr(path, follow_symlinks=False))}
    entry = {"type": TYPES[stat.S_IFMT(status.st_mode)], "owner": f"{status.st_uid}:{status.st_gid}",
             "mode": f"{stat.S_IMODE(status.st_mode):04o}", "xattrs": xattrs}
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            entry["content"] = f"{hashlib.sha256(file.read()).hexdigest()[:16]} ({status.st_size} bytes)"
    elif stat.S_ISLNK(status.st_mode):
        entry["target"] = os.readlink(path)
    return entry


def walk(top, skip, found):
    if not os.path.lexists(top):
        return
    found[top] = describe(top)
    for directory, names, files in os.walk(top):
        names[:] = [name for name in names if name not in skip]
        for name in names + files:
            path = os.path.join(directory, name)
            found[path] = describe(path)


asked = json.loads(sys.argv[1])
found = {}
for path in asked["paths"]:
    walk(path, asked["skip"], found)
json.dump(found, sys.stdout)
