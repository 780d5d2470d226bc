# SPDX-License-Identifier: Apache-2.0
"""The files that make a Spec true on a host that has not booted yet: Gunicorn's units, nginx's sites, the application.

Units and sites have the shape of the runbook's. Everything is written into the host's overlay, and units are enabled
by links, so that the host's first boot finds an installed machine and changes nothing in /etc by itself.
"""

import os
import pathlib
import shutil
import uuid

from . import sites, units

APPLICATION = pathlib.Path(__file__).with_name("site")
USER = "django"

SECRETS = {
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "DJANGO_SECRET_KEY": "lab-secret-key-5f2b9c1e",
    "DATABASE_URL": "postgres://site:lab-database-password@127.0.0.1/site",
}


def install_stack(container, spec):
    tree = Tree(container.root)
    tree.write("/etc/hostname", f"{container.name}\n")
    tree.write("/etc/machine-id", f"{uuid.uuid4().hex}\n", mode=0o444)
    names = "" if spec.nginx == "secure" else " site.test shop.test"  # as where only the world's DNS has the name
    tree.write("/etc/hosts", f"127.0.0.1 localhost\n{container.address} {container.name}{names}\n")
    for path, size in spec.disks:
        container.add_disk(path, size)
    install_application(tree, spec)
    if spec.gunicorn:
        units.install_gunicorn(tree, spec)
    if spec.nginx != "none":
        sites.install_nginx(tree, spec)


def install_application(tree, spec):
    """A release of the site, /srv/site/current pointing at it, its environment file and its knobs (see settings.py)."""
    tree.copy(APPLICATION, "/srv/site/releases/1")
    tree.link("releases/1", "/srv/site/current")
    environment = dict(SECRETS, **units.environment_settings(spec))
    if spec.nginx == "secure":
        environment["SITE_HOSTS"] = "site.test"
    lines = [f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in environment.items()]
    tree.write("/etc/site/gunicorn.env", "".join(f"{line}\n" for line in lines), mode=0o640, group=USER)
    tree.directory("/var/lib/site/knobs")
    tree.write("/var/lib/site/knobs/report-seconds", f"{spec.report_seconds}\n")


class Tree:
    """A host's files before it boots. Paths are the host's own, absolute, and contain no symbolic links."""

    def __init__(self, root):
        self.root = root
        groups = (line.split(":") for line in (root / "etc/group").read_text().splitlines())
        self.groups = {row[0]: int(row[2]) for row in groups}

    def path(self, path):
        return self.root / path.lstrip("/")

    def directory(self, path):
        self.path(path).mkdir(mode=0o755, parents=True, exist_ok=True)

    def write(self, path, text, mode=0o644, group="root"):
        self.directory(os.path.dirname(path))
        target = self.path(path)
        target.write_text(text)
        os.chown(target, 0, self.groups[group])
        target.chmod(mode)

    def link(self, points_to, path):
        self.directory(os.path.dirname(path))
        self.path(path).symlink_to(points_to)

    def enable(self, unit, target="multi-user.target"):
        """What `systemctl enable` does, for a unit below /etc or an instance of a template there."""
        name, at, rest = unit.partition("@")
        file = f"{name}@.{rest.rpartition('.')[2]}" if at else unit
        ours = self.path(f"/etc/systemd/system/{file}").exists()
        directory = "/etc/systemd/system" if ours else "/lib/systemd/system"
        self.link(f"{directory}/{file}", f"/etc/systemd/system/{target}.wants/{unit}")

    def copy(self, source, path):
        """A copy of a directory, owned by root and readable by all, without what Python leaves behind."""
        for directory, names, files in os.walk(source):
            names[:] = sorted(name for name in names if name != "__pycache__")
            there = f"{path}/{os.path.relpath(directory, source)}".removesuffix("/.")
            self.directory(there)
            for file in sorted(files):
                shutil.copyfile(os.path.join(directory, file), self.path(f"{there}/{file}"))
                self.path(f"{there}/{file}").chmod(0o644)
