# SPDX-License-Identifier: Apache-2.0
"""The demonstration: an incident on a real host, its repair, a change that makes things worse and is taken back, and a
change that is refused. It ends at the first thing that does not happen as announced, with exit code 1."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import Lab, LabError, Spec, diff_state, machine  # noqa: E402
from lab.machine import BUILD, REPOSITORY  # noqa: E402
from lab.steps import Steps  # noqa: E402

KEPT, REFUSED, ROLLED_BACK = 0, 3, 4
CURE = ["salve", "run", "gunicorn-timeout", "-e", "timeout=6s", "-e", "endpoint=http://127.0.0.1/reports/", "--yes"]
ASK = "curl -s -o /dev/null -w '%{http_code} after %{time_total} s\\n' http://127.0.0.1/reports/"

# A mistake as people make it: the timeout goes down, and nobody thought of the report.
WORSE = """\
salve: 1
name: hurry
summary: Give up on requests after a second.
changes:
  - gunicorn: {unit: gunicorn.service, exactly: {timeout: 1s}}
verify:
  settle: 2s
  warmup: 1s
  window: 15s
  interval: 1s
  checks:
    - http: {name: health, url: "http://127.0.0.1/health/", max: {max: 500ms}}
    - http: {name: report, url: "http://127.0.0.1/reports/", max: {max: 8s}, min_samples: 2}
"""

NEXT = """\
What to try next:

  tests/lab/host --salve {build}
      a shell on such a host, with salve on it. There:
          curl http://127.0.0.1/reports/ ; salve diagnose
          salve plan gunicorn-timeout -e timeout=6s -e endpoint=http://127.0.0.1/reports/
          salve run  gunicorn-timeout -e timeout=6s -e endpoint=http://127.0.0.1/reports/
          salve show --diff ; salve rollback
  tests/lab/host --help      hosts of other shapes, and the knobs that break them
  tests/run                  all tests
  README.md                  how to use salve on a host of yours
"""


def built(steps):
    """A build directory with the program of this checkout."""
    directory = BUILD / "demo"
    steps.step("Build salve")
    if not (directory / "build.ninja").exists():
        shutil.rmtree(directory, ignore_errors=True)
        tool(steps, "meson", "setup", "--prefix=/usr", directory, REPOSITORY)
    tool(steps, "ninja", "--quiet", "-C", directory, "program")
    return directory


def tool(steps, *words):
    argv = [str(word) for word in words]
    compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
    steps.note(" ".join(argv))
    done = subprocess.run(argv, env=dict(os.environ, CC=compiler), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise LabError(f"{argv[0]} failed:\n{done.stdout[-3000:]}")


def run(steps, host, argv):
    """A run as a person sees it: live where this is a terminal. Returns its exit code."""
    if sys.stdout.isatty():
        return steps.live(host, argv)
    return steps.command(host, argv).code


def show_incident(steps, host):
    steps.step("The incident: the report takes longer than Gunicorn's timeout")
    answer = steps.command(host, ASK)
    steps.expect(answer.stdout.startswith("502 "), "the report ends in a 502")
    host.wait_journal("WORKER TIMEOUT", "_SYSTEMD_UNIT=gunicorn.service")
    journal = steps.command(host, "journalctl -u gunicorn -o cat | grep 'WORKER TIMEOUT'")
    steps.expect("WORKER TIMEOUT" in journal.stdout, "Gunicorn killed the worker that was at it")


def show_cure(steps, host):
    steps.step("What salve makes of it")
    diagnosis = steps.command(host, ["salve", "diagnose"])
    steps.expect("worker-timeout" in diagnosis.stdout, "the finding that the playbook asks for, with its evidence")
    steps.step("The repair: guards, baseline, snapshot, change, validation, restart, verification (about a minute)")
    code = run(steps, host, CURE)
    steps.expect(code == KEPT, "the change was verified and is kept (exit code 0)")
    answer = steps.command(host, ASK)
    steps.expect(answer.stdout.startswith("200 "), "the report answers")
    steps.command(host, ["salve", "show", "--diff"])


def show_rollback(steps, host):
    steps.step("A change that makes things worse: the timeout goes down to a second")
    host.write("/root/hurry.yaml", WORSE)
    steps.command(host, "cat /root/hurry.yaml")
    steps.note("content, owner, mode, extended attributes of all files below /etc and /srv are noted down")
    before = host.snapshot_state()
    code = run(steps, host, ["salve", "run", "/root/hurry.yaml", "--yes"])
    steps.expect(code == ROLLED_BACK, "its own checks found it out, and it was rolled back (exit code 4)")
    after = host.snapshot_state()
    for line in diff_state(before, after):
        steps.note(line)
    steps.expect(diff_state(before, after) == [],
                 f"{len(after.files)} files and {len(after.units)} units are exactly as before")
    for path in sorted(path for path in after.files if path.startswith("/etc/systemd/system/gunicorn.service.d")):
        entry = after.files[path]
        steps.note(f"{path}: {entry.get('content', entry['type'])}, owner {entry['owner']}, mode {entry['mode']}, "
                   f"attributes {entry['xattrs'] or 'none'}")
    answer = steps.command(host, ASK)
    steps.expect(answer.stdout.startswith("200 "), "the report answers as before")
    steps.command(host, ["salve", "history"])


def show_refusal(steps, lab, build):
    steps.step("Another host, in the shape of the runbook's own unit: with --threads 2")
    host = lab.boot(Spec(worker="gthread", proxy_read_timeout="2s"), name="web2", salve=build)
    host.wait_site()
    answer = steps.command(host, ASK)
    steps.expect(answer.stdout.startswith("504 "), "here it is nginx that gives up, with a 504")
    refused = steps.command(host, CURE)
    steps.expect(refused.code == REFUSED, "refused, nothing was touched (exit code 3)")
    steps.expect("timeout-not-enforced" in refused.output, "with threads the timeout is a heartbeat and ends no request")
    steps.note("What helps here, besides a faster report, is an nginx that is as patient as Gunicorn:")
    plan = steps.command(host, ["salve", "plan", "nginx-align"])
    steps.expect("proxy_read_timeout" in plan.stdout, "the plan raises nginx's patience, not Gunicorn's timeout")


def demonstrate(steps):
    machine.require()
    build = built(steps)
    with Lab() as lab:
        steps.step("Boot a host: Debian with systemd, nginx, Gunicorn (three sync workers, timeout 2 s) and Django")
        host = lab.boot(Spec(), name="web1", salve=build)
        host.wait_site()
        steps.expect(host.get("/health/").status == 200, f"{host.name} serves its site at {host.url()}")
        show_incident(steps, host)
        show_cure(steps, host)
        show_rollback(steps, host)
        show_refusal(steps, lab, build)
    steps.print()
    steps.print(f"All of it happened as announced, in {steps.seconds():.0f} s; the hosts are gone again.")
    steps.print()
    steps.print(NEXT.format(build=build))


def main():
    argparse.ArgumentParser(prog="tests/lab/demo", description=__doc__).parse_args()
    try:
        demonstrate(Steps())
        return 0
    except LabError as error:
        print(f"tests/lab/demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
