# SPDX-License-Identifier: Apache-2.0
"""The views of the lab's application: one that is fast, and those that go wrong in the ways the runbook knows."""

import os
import random
import signal
import time

from django.http import HttpResponse, StreamingHttpResponse

from .settings import knob


def request_delay(get_response):
    """Middleware: the knobs request-delay and jitter make every request slower."""

    def middleware(request):
        time.sleep(float(knob("request-delay", "0")) / 1000)
        median, sigma = (float(word) for word in knob("jitter", "0 0").split())
        time.sleep(median / 1000 * random.lognormvariate(0, sigma) * float(knob("jitter-factor", "1")))
        return get_response(request)

    return middleware


def index(_request):
    return HttpResponse("the lab's site\n", content_type="text/plain")


def health(_request):
    if knob("health-500") is not None:
        return HttpResponse("ill\n", content_type="text/plain", status=500)
    return HttpResponse("ok\n", content_type="text/plain")


def reports(request):
    """A valid request that takes its time: ?seconds=N, and ?cpu=1 to compute instead of waiting."""
    seconds = float(request.GET.get("seconds") or knob("report-seconds", "3.5"))
    started = time.monotonic()
    if request.GET.get("cpu") == "1":
        while time.monotonic() - started < seconds:
            sum(range(1000))
    else:
        time.sleep(seconds)
    return HttpResponse(f"report after {time.monotonic() - started:.1f} s\n", content_type="text/plain")


def stream(request):
    """A line every 100 ms for ?seconds=N: the headers and the first bytes are out long before the end."""
    seconds = float(request.GET.get("seconds", "2"))

    def lines():
        for tick in range(int(seconds * 10)):
            yield f"line {tick}\n"
            time.sleep(0.1)
        yield "end\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


def kill(_request):
    """The worker is gone in the middle of the request, as after an OOM kill."""
    os.kill(os.getpid(), signal.SIGKILL)
