# SPDX-License-Identifier: Apache-2.0
"""Build salve and run its tests: unit, fuzz and style with gcc, the same under the sanitizers, a build with clang,
crash tests on a simulated host, and the lab tests on real hosts.

Builds go below $SALVE_BUILD (default: a folder of this checkout's own in /var/tmp/salve-build), one directory a
compiler. The last line printed is `N passed, N failed`, the sum of all; the exit code is 0 only where nothing failed
and nothing was cut short.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

TESTS = pathlib.Path(__file__).resolve().parent
SOURCE = TESTS.parent

sys.path.insert(0, str(TESTS))

from lab import LabError, leftovers, machine  # noqa: E402
from lab.machine import BUILD  # noqa: E402

# Lab tests mostly wait for their hosts, so more of them run at once than there are processors.
LAB_PROCESSES = 2 * (os.cpu_count() or 1)
RUN_SECONDS = 45 * 60     # a run that is not done by then hangs
FUZZ_SECONDS = 10 * 60    # of each target in --crash
LAB_SECOND_CHANCES = 3    # so many failures may be the load of hosts that boot beside them; they must pass alone

SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


class Interrupted(Exception):
    pass


class Tally:
    """What has passed and failed so far."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def run(*argv, environment=None, quiet=False):
    """Run a program in a process group of its own; an interruption reaches all of it. Returns its exit code."""
    kept = subprocess.PIPE if quiet else None
    process = subprocess.Popen([str(word) for word in argv], env=dict(os.environ, **(environment or {})), text=True,
                               stdin=subprocess.DEVNULL, stdout=kept, stderr=subprocess.STDOUT if quiet else None,
                               start_new_session=True)
    try:
        output, _ = process.communicate()
    except BaseException:
        end_group(process)
        raise
    if quiet and process.returncode != 0:
        print(output, end="", flush=True)
    return process.returncode


def end_group(process):
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def say(text):
    print(f"== {text}", flush=True)


def build(name, compiler, *options):
    """Configure and build in the directory `name`; returns it, or None where that failed."""
    directory = BUILD / name
    cached = f"ccache {compiler}" if shutil.which("ccache") else compiler
    if (directory / "build.ninja").exists():
        configure = ["meson", "configure", directory, *options]
    else:
        shutil.rmtree(directory, ignore_errors=True)
        configure = ["meson", "setup", *options, directory, SOURCE]
    if run(*configure, environment={"CC": cached}, quiet=True) or run("ninja", "--quiet", "-k", "0", "-C", directory, quiet=True):
        return None
    return directory


def suites(tally, directory, *names, environment=None, slower=1):
    """Run meson's test suites of those names and count every single test in them."""
    chosen = [word for name in names for word in ("--suite", name)]
    log = directory / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    code = run("meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", slower,
               *chosen, environment=environment)
    before = tally.failed
    if log.exists():
        for line in log.read_text().splitlines():
            tally.add(**counts_of(json.loads(line)))
    if code != 0 and tally.failed == before:
        tally.add(failed=1)


def counts_of(entry):
    """The tests in one entry of meson's log: as many as cmocka reports, or the program as one."""
    if entry["result"] == "SKIP":
        return {"skipped": 1}
    output = entry.get("stdout", "") + entry.get("stderr", "")
    found = {word: sum(int(number) for number in re.findall(rf"\[  {word}  \] (\d+) test\(s\)", output))
             for word in ("PASSED", "FAILED", "SKIPPED")}
    good = entry["result"] in ("OK", "EXPECTEDFAIL")
    if good and found["PASSED"] == 0:
        found["PASSED"] = 1
    if not good and found["FAILED"] == 0:
        found["FAILED"] = 1
    return {word.lower(): number for word, number in found.items()}


def quick(tally):
    say("gcc: build, unit, fuzz and style tests")
    directory = build("gcc", "gcc", "-Dwerror=true")
    if directory is None:
        tally.add(failed=1)
    else:
        suites(tally, directory, "unit", "fuzz", "style")
    return directory


def sanitized(tally):
    say("gcc with address and undefined-behaviour sanitizers: unit and fuzz tests")
    # Warnings are no errors here: the sanitizers make gcc warn of paths that do not exist.
    directory = build("sanitized", "gcc", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dwerror=false")
    if directory is None:
        tally.add(failed=1)
    else:
        suites(tally, directory, "unit", "fuzz", environment=SANITIZERS, slower=4)


def clang(tally):
    say("clang: build")
    good = build("clang", "clang", "-Dwerror=true") is not None
    tally.add(passed=int(good), failed=int(not good))


def crash(tally, directory, *options):
    say("crash: runs on a simulated host, killed and failed at their durable operations" +
        (", a part of them" if options else ""))
    process = subprocess.run([directory / "tests" / "crash" / "crash-sim", *options], stdout=subprocess.PIPE, text=True,
                             check=False)
    print(process.stdout, end="", flush=True)
    found = re.search(r"(\d+) passed, (\d+) failed\s*$", process.stdout)
    passed, failed = map(int, found.groups()) if found else (0, 1)
    tally.add(passed=passed, failed=failed or int(process.returncode != 0))


def fuzz(tally, seconds):
    """Lets libFuzzer look for new inputs, as many targets at once as there are processors. What it learns stays in the
    build directory for the next time; what it finds is printed, and belongs into the corpus once it is fixed."""
    say(f"fuzz: each target for {seconds} s, the whole library instrumented")
    directory = BUILD / "fuzzing"
    ready = (directory / "build.ninja").exists() or not run("meson", "setup", "-Dfuzzing=true", "-Db_lundef=false", directory,
                                                            SOURCE, environment={"CC": "clang"}, quiet=True)
    if not ready or run("ninja", "--quiet", "-C", directory, "fuzzers", quiet=True):
        tally.add(failed=1)
        return
    corpora = sorted(path for path in (TESTS / "fuzz" / "corpus").iterdir() if path.is_dir())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for good in pool.map(lambda corpus: fuzz_one(directory, corpus, seconds), corpora):
            tally.add(passed=int(good), failed=int(not good))


def fuzz_one(directory, corpus, seconds):
    learned = directory / "learned" / corpus.name
    learned.mkdir(parents=True, exist_ok=True)
    target = directory / "tests" / "fuzz" / f"fuzz-{corpus.name}"
    good = run(target, f"-max_total_time={seconds}", "-timeout=20", "-verbosity=0", "-print_final_stats=1",
               f"-artifact_prefix={directory}/{corpus.name}-", learned, corpus, environment=SANITIZERS, quiet=True) == 0
    say(f"fuzz: {corpus.name}: {'nothing found' if good else 'FAILED, the input is in ' + str(directory)}")
    return good


def lab(tally, directory, keyword, *more):
    say(f"lab: real hosts, {LAB_PROCESSES} at once")
    try:
        machine.require()
    except LabError as error:
        print(error, flush=True)
        tally.add(failed=1)
        return
    words = ["-n", LAB_PROCESSES, "--dist", "loadfile", *(["-k", keyword] if keyword else []), *more, TESTS / "lab"]
    code, failures = lab_round(tally, directory, "lab", words)
    if code == 0 or not 0 < len(failures) <= LAB_SECOND_CHANCES:
        tally.add(failed=len(failures) or int(code != 0))
        return
    say(f"lab: {len(failures)} of the failed once more, alone: {', '.join(failures)}")
    code, again = lab_round(tally, directory, "lab-again", failures)
    tally.add(failed=len(again) or int(code != 0))


def lab_round(tally, directory, name, words):
    """Runs pytest; adds what passed. Returns its exit code and the failed tests as pytest names them."""
    report = BUILD / f"{name}.xml"
    report.unlink(missing_ok=True)
    code = run("/usr/bin/python3", "-B", "-m", "pytest", "-c", TESTS / "pytest.ini", "-q", f"--junitxml={report}",
               *words, f"--salve={directory}")
    failures = []
    for case in xml.etree.ElementTree.parse(report).iter("testcase") if report.exists() else ():
        outcomes = {child.tag for child in case}
        for told in case.iter("property"):
            say(f"lab: {told.get('name')}: {told.get('value')}")
        if outcomes & {"failure", "error"}:
            failures.append(f"{TESTS / case.get('classname').replace('.', '/')}.py::{case.get('name')}")
        else:
            tally.add(passed=int("skipped" not in outcomes), skipped=int("skipped" in outcomes))
    return code, failures


def clean_up():
    """Remove what interrupted lab tests left."""
    if os.geteuid() == 0:
        leftovers.remove_dead_labs()


def interrupt(number, _frame):
    raise Interrupted(f"not done after {RUN_SECONDS} s" if number == signal.SIGALRM else "interrupted")


def parse():
    parser = argparse.ArgumentParser(prog="tests/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unit", action="store_true", help="only unit, fuzz and style tests with gcc: under a minute")
    parser.add_argument("--lab", action="store_true", help="only the lab tests (and the build they need)")
    parser.add_argument("--crash", action="store_true", help="only the crash tests, all of them, simulated and on lab hosts, and fuzzing: hours")
    parser.add_argument("--fuzz", action="store_true", help="only fuzz each target (clang), for --fuzz-seconds")
    parser.add_argument("--fuzz-seconds", type=int, default=FUZZ_SECONDS, metavar="N",
                        help=f"how long each target is fuzzed in --crash and --fuzz (default {FUZZ_SECONDS})")
    parser.add_argument("-k", metavar="EXPRESSION", help="only the lab tests that match, as pytest's -k; implies --lab")
    return parser.parse_args()


def main():
    options = parse()
    tally = Tally()
    started = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, interrupt)
    only_lab = options.lab or options.k is not None
    if options.fuzz:
        fuzz(tally, options.fuzz_seconds)
        return finish(tally, started)
    if options.crash:
        directory = build("gcc", "gcc", "-Dwerror=true")
        crash(tally, directory) if directory else tally.add(failed=1)
        fuzz(tally, options.fuzz_seconds)
        if directory:
            say("unit tests, with every round of the races and every instant")
            suites(tally, directory, "unit", environment={"SALVE_WHOLE": "1"}, slower=10)
            lab(tally, directory, "kills", "--kills", "all", "--timeout", "0")
            lab(tally, directory, "verdicts", "--verdicts", "20", "--timeout", "0")
        return finish(tally, started)
    signal.alarm(RUN_SECONDS)
    try:
        directory = build("gcc", "gcc", "-Dwerror=true") if only_lab and not options.unit else quick(tally)
        if not only_lab and not options.unit:
            sanitized(tally)
            clang(tally)
            if directory is not None and os.geteuid() == 0:
                crash(tally, directory, "--quick")
        if directory is None and tally.failed == 0:
            tally.add(failed=1)
        if directory is not None and (only_lab or not options.unit):
            lab(tally, directory, options.k)
    except Interrupted as interrupted:
        print(interrupted, flush=True)
        tally.add(failed=1)
        clean_up()
    return finish(tally, started)


def finish(tally, started):
    say(f"{time.monotonic() - started:.0f} s")
    print(tally, flush=True)
    return 1 if tally.failed else 0


sys.exit(main())
