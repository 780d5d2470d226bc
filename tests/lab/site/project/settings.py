# SPDX-License-Identifier: Apache-2.0
"""Settings of the lab's Django application, and the knobs by which a test spoils it.

A knob is a file in /var/lib/site/knobs; without the file the application behaves.

    report-seconds   how long /reports/ takes where the request does not say
    request-delay    milliseconds by which every request is slower
    jitter           "MEDIAN SIGMA": every request takes log-normal time, of that many milliseconds in the median
    jitter-factor    so many times as long
    health-500       /health/ answers 500
    import-delay     seconds by which importing the application is slower
    import-fails     importing the application raises
    master-dies      seconds after a worker's start when Gunicorn's master is killed
    only-if          all knobs but report-seconds and jitter are turned only where Gunicorn was started with this: "timeout 5"

The last one makes a change to Gunicorn's settings the cause of the trouble, and its rollback the cure.
"""

import os
import pathlib
import re
import signal
import threading
import time

KNOBS = pathlib.Path("/var/lib/site/knobs")


def gunicorn_words():
    """The words of Gunicorn's settings when this worker started, from all places, without their punctuation."""
    texts = [pathlib.Path(f"/proc/{os.getppid()}/cmdline").read_text().replace("\0", " ")]
    texts += [os.environ.get("GUNICORN_CMD_ARGS", ""), "WEB_CONCURRENCY=" + os.environ.get("WEB_CONCURRENCY", "")]
    with_file = pathlib.Path("/etc/site/gunicorn.conf.py")
    texts += [with_file.read_text()] if with_file.exists() else []
    words = (word.strip("-").replace("_", "-") for word in re.split(r"[\s=\"']+", " ".join(texts)))
    return f" {' '.join(words)} "


GUNICORN_WORDS = gunicorn_words()


def knob(name, default=None):
    """The text of a knob, or the default where it is not turned."""
    condition = KNOBS / "only-if"
    if condition.exists() and name not in ("report-seconds", "jitter") and f" {condition.read_text().strip()} " not in GUNICORN_WORDS:
        return default
    try:
        return (KNOBS / name).read_text().strip()
    except FileNotFoundError:
        return default


if knob("import-fails") is not None:
    raise RuntimeError("the knob import-fails is turned")
if knob("master-dies") is not None and " /usr/bin/gunicorn " in GUNICORN_WORDS:
    timer = threading.Timer(float(knob("master-dies")), os.kill, [os.getppid(), signal.SIGKILL])
    timer.daemon = True
    timer.start()
time.sleep(float(knob("import-delay", "0")))

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("SITE_HOSTS", "*").split()
ROOT_URLCONF = "project.urls"
TIME_ZONE = "America/Chicago"
USE_TZ = True
INSTALLED_APPS = []
MIDDLEWARE = ["project.views.request_delay", "django.middleware.common.CommonMiddleware"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
