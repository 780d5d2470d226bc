# SPDX-License-Identifier: Apache-2.0
"""Latency that varies as it does in life: healthy changes stay, real slowdowns are never taken for fine.

Requests take log-normal time from the knob jitter, on a machine whose own noise comes on top. With --verdicts 20 these
are the 60 healthy changes and the 20 slowdowns that the method of two counts is held to.
"""

import pytest

from lab import Spec
from lab.playbooks import gunicorn, http, playbook
from lab.runs import KEPT, ROLLED_BACK, run

SIGMAS = ("0.3", "0.6", "1.0")
FACTORS = ("2", "2.5", "3", "4")


def latency():
    check = http("health", samples=20, every="100ms")
    check["http"]["max"] = {"max": "20s", "over_baseline": "20%", "slack": "20ms"}
    return check


def change(host, index, factor=None):
    """A run that sets another timeout, and the verdict on its latency, from up to 120 samples."""
    timeout = 20 + index
    host.knob("jitter", f"80 {SIGMAS[index % len(SIGMAS)]}")
    host.knob("only-if", f"timeout {timeout}")
    host.knob("jitter-factor", factor)
    ended = run(host, playbook(gunicorn(timeout=f"{timeout}s"), checks=(latency(),), window="15s"))
    # After a rollback the last verdict is that of the host as it was before.
    return ended, "fail" if ended.code == ROLLED_BACK else ended.verdicts()["health"]


@pytest.fixture
def amount(request):
    return int(request.config.getoption("--verdicts"))


def test_healthy_changes_under_jitter_stay(boot, amount):
    host = boot(Spec())
    worse = []
    for index in range(3 * amount):
        ended, verdict = change(host, index)
        assert verdict in ("pass", "undecided", "fail"), ended
        assert ended.code in (KEPT, ROLLED_BACK), ended
        if verdict == "fail":
            worse.append(ended)
    assert len(worse) <= 1, worse


def test_slowdowns_of_two_and_more_are_never_called_fine(boot, amount):
    host = boot(Spec())
    for index in range(amount):
        ended, verdict = change(host, index, factor=FACTORS[index % len(FACTORS)])
        assert verdict != "pass", ended
        assert ended.code in (KEPT, ROLLED_BACK), ended
        if verdict == "undecided":
            assert ended.said("would have been needed"), ended
