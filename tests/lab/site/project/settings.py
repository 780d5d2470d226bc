# SPDX-License-Identifier: Apache-2.0
"""Settings of the lab's Django application, and the knobs by which a test spoils it.

A knob is a file in /var/lib/site/knobs; without the file the application behaves.

    report-seconds   how long /reports/ takes where the request does not say
    request-delay    milliseconds by which every request is slower
    health-500       /health/ answers 500
    import-delay     seconds by which importing the application is slower
    import-fails     importing the application raises
"""

import os
import pathlib
import time

KNOBS = pathlib.Path("/var/lib/site/knobs")


def knob(name, default=None):
    """The text of a knob, or the default where it is not turned."""
    try:
        return (KNOBS / name).read_text().strip()
    except FileNotFoundError:
        return default


if knob("import-fails") is not None:
    raise RuntimeError("the knob import-fails is turned")
time.sleep(float(knob("import-delay", "0")))

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "project.urls"
TIME_ZONE = "America/Chicago"
USE_TZ = True
INSTALLED_APPS = []
MIDDLEWARE = ["project.views.request_delay", "django.middleware.common.CommonMiddleware"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
