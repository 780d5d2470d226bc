# SPDX-License-Identifier: Apache-2.0
"""What a lab host should be, as plain data. The default is the runbook's incident: sync workers and a timeout that
is too short for the report view."""

import dataclasses

from .machine import LabError

MIB = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Spec:
    worker: str = "sync"                   # sync; gthread, as the runbook's own unit has it: by --threads 2
    bind: str = "tcp"                      # tcp 127.0.0.1:8000; socket: gunicorn.socket; unix: a path of Gunicorn's own
    settings: str = "flags"                # where settings live: flags, file, env (GUNICORN_CMD_ARGS), web-concurrency
    nginx: str = "upstream"                # upstream block; direct proxy_pass; sites: several, one with TLS; secure: TLS only, by its name only; none
    workers: int = 3
    threads: int = 2                       # of gthread
    timeout: int = 2
    graceful_timeout: int = 2
    stop_timeout: str = "10s"              # TimeoutStopSec
    proxy_read_timeout: str | None = "60s"  # None: the directive is absent
    report_seconds: float = 3.5            # what /reports/ takes unless asked otherwise: more than the timeout + 1
    wrapper: bool = False                  # ExecStart runs a shell that runs Gunicorn
    template: bool = False                 # gunicorn@site.service instead of gunicorn.service
    second: bool = False                   # gunicorn-admin.service on port 8001 besides
    celery: bool = False                   # celery.service, on the same EnvironmentFile
    partof: bool = False                   # site-metrics.service, PartOf= the Gunicorn service
    gunicorn: bool = True                  # False: a host without any Gunicorn unit
    kernel_log: bool = False               # the journal takes kernel lines, and root may write them to /dev/kmsg
    disks: tuple = ()                      # (path, bytes): real ext4 file systems, ("/var/lib/salve", 64 * MIB)

    @property
    def unit(self):
        """The name of the Gunicorn service."""
        return "gunicorn@site.service" if self.template else "gunicorn.service"


# The words of `tests/lab/host --variant sync,socket,celery`.
WORDS = {
    "sync": {"worker": "sync"},
    "gthread": {"worker": "gthread"},
    "tcp": {"bind": "tcp"},
    "socket": {"bind": "socket"},
    "unix": {"bind": "unix"},
    "flags": {"settings": "flags"},
    "file": {"settings": "file"},
    "env": {"settings": "env"},
    "web-concurrency": {"settings": "web-concurrency"},
    "upstream": {"nginx": "upstream"},
    "direct": {"nginx": "direct"},
    "sites": {"nginx": "sites"},
    "secure": {"nginx": "secure"},
    "no-nginx": {"nginx": "none"},
    "wrapper": {"wrapper": True},
    "template": {"template": True},
    "second": {"second": True},
    "celery": {"celery": True},
    "partof": {"partof": True},
    "no-gunicorn": {"gunicorn": False},
    "kernel-log": {"kernel_log": True},
    "state-disk": {"disks": (("/var/lib/salve", 64 * MIB),)},
}


def spec_from_words(words):
    """The Spec that comma-separated words ask for; `timeout=5` sets a number or text by its field's name."""
    chosen = {}
    types = {field.name: type(field.default) for field in dataclasses.fields(Spec)}
    for word in filter(None, (part.strip() for part in words.split(","))):
        name, equals, value = word.partition("=")
        name = name.replace("-", "_")
        if word in WORDS:
            chosen.update(WORDS[word])
        elif equals and types.get(name) in (int, float, str):
            chosen[name] = types[name](value)
        else:
            raise LabError(f"unknown variant {word!r}; there are: {', '.join(WORDS)}, and FIELD=VALUE of spec.py")
    return Spec(**chosen)
