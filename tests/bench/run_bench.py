# SPDX-License-Identifier: Apache-2.0
"""One job on one lab host, done three ways: by `salve run --verify once`, by a shell script, by Ansible over ssh.

The job: raise Gunicorn's timeout in a drop-in, align nginx, test both, activate, ask the site once, look at the journal.
Settle time and window are excluded on all sides. Each way takes turns with the others, and its median counts.

Also measured:
  salve plan    its wall time and the most memory it held
  rollback      from the first failing sample until all services run the old configuration again, against the bare
                daemon-reload, restart and reload of the same services until all their processes are there; nothing is
                in flight, so that neither side drains
  durability    the snapshot as a whole, and every other fsync of a run, by what it is for

Ends with exit code 1 where a goal is missed. The numbers mean something on an idle machine only: whatever else runs
takes processor time and the disk's queue from one way and not from the other.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lab import Lab, LabError, Spec, machine  # noqa: E402
from lab.playbooks import HEALTH, TIMEOUT, WORKER_TIMEOUTS, align, playbook, write_playbook  # noqa: E402
from lab.runs import ROLLED_BACK, start  # noqa: E402

SCRIPT_GOAL, ANSIBLE_GOAL = 1.15, 1 / 3
PLAN_SECONDS, PLAN_MIB = 0.030, 20
ROLLBACK_GOAL, DURABILITY_SECONDS = 1.2, 0.060
SPEC = Spec(proxy_read_timeout="3s")
FOREGROUND = ["--foreground"]  # the words that let strace see a run from its beginning

RESET = """\
rm -rf /etc/systemd/system/gunicorn.service.d /etc/nginx/sites-available/site.*
sed -i 's/proxy_read_timeout 10s;/proxy_read_timeout 3s;/' /etc/nginx/sites-available/site
systemctl daemon-reload && systemctl restart gunicorn && systemctl reload nginx
"""

# Prints the seconds of the commands alone, and those until all workers of the new Gunicorn are there.
BARE = """\
import subprocess, time
def run(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
started = time.monotonic()
run("systemctl", "daemon-reload")
run("systemctl", "restart", "gunicorn")
run("systemctl", "reload", "nginx")
commands = time.monotonic() - started
main = run("systemctl", "show", "--value", "--property=MainPID", "gunicorn").strip()
while len(open(f"/proc/{main}/task/{main}/children").read().split()) < %d:
    time.sleep(0.001)
print(commands, time.monotonic() - started)
"""

SYNCS = "fsync,fdatasync,sync_file_range,syncfs,sync,msync"

# What a synchronised path is for; the first that fits.
PURPOSES = (("snapshot", "/snapshots.git"), ("ledger", "/ledger.db"), ("hot file and state directory", "/salve"),
            ("managed files", "/etc/"))

# What one command takes, measured on the host itself: seconds and the most memory it held.
MEASURE = """\
import resource, subprocess, sys, time
started = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def build():
    """A build of this checkout as `meson setup` makes it."""
    directory = machine.BUILD / "bench"
    if not (directory / "build.ninja").exists():
        machine.command("meson", "setup", "--prefix=/usr", str(directory), str(machine.REPOSITORY))
    machine.command("ninja", "-C", str(directory))
    return directory


def timed(run):
    started = time.monotonic()
    run()
    return time.monotonic() - started


def ansible(host, directory):
    """A function that runs the job by Ansible over ssh with pipelining, as a person would set it up."""
    key = directory / "key"
    machine.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    host.write("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text(), mode=0o600)
    inventory = directory / "hosts"
    inventory.write_text(f"{host.address} ansible_user=root ansible_ssh_private_key_file={key} "
                         "ansible_python_interpreter=/usr/bin/python3\n")
    environment = dict(os.environ, ANSIBLE_HOST_KEY_CHECKING="False", ANSIBLE_PIPELINING="True", HOME=str(directory))
    argv = ["ansible-playbook", "-i", str(inventory), str(HERE / "run-bench.yml")]

    def run():
        done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise LabError(f"ansible-playbook failed:\n{done.stdout}")
    return run


def ways(host, directory):
    text = playbook(TIMEOUT, align(), checks=(HEALTH, WORKER_TIMEOUTS), warmup="0ms", settle="0ms")
    path = write_playbook(host, text)
    host.write("/root/run-bench.sh", (HERE / "run-bench.sh").read_text(), mode=0o755)
    return {
        "salve run --verify once": lambda: host.salve("-q", "run", "--yes", "--verify", "once", path, check=True),
        "shell script": lambda: host.run(["/root/run-bench.sh"]),
        "ansible-playbook": ansible(host, directory),
    }


def reset(host):
    """The host before the job, with a site as warm as one that serves: each worker has answered."""
    host.run(RESET)
    host.wait_site()
    host.run("seq 30 | xargs -P 3 -I % curl --silent --fail --output /dev/null http://127.0.0.1/health/")


def measure_runs(host, directory, rounds):
    times = {}
    jobs = ways(host, directory)
    for number in range(rounds + 1):
        for name, job in jobs.items():
            reset(host)
            seconds = timed(job)
            if "proxy_read_timeout 10s;" not in host.read("/etc/nginx/sites-available/site"):
                raise LabError(f"{name} did not do the job")
            if number > 0:  # the first round warms caches
                times.setdefault(name, []).append(seconds)
    return times


def measure_plan(host, rounds):
    reset(host)
    argv = ["/usr/bin/python3", "-c", MEASURE, "salve", "plan", "/root/playbooks/test.yaml"]
    results = [[float(word) for word in host.run(argv).stdout.split()] for _ in range(rounds + 1)][1:]
    return statistics.median(seconds for seconds, _ in results), max(mib for _, mib in results)


def event_time(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def rollback_seconds(host):
    """One run whose check fails in the window, from the first failing sample to the proof of what runs again."""
    reset(host)
    text = playbook(TIMEOUT, align(), checks=(HEALTH,), warmup="0ms", settle="0ms", interval="100ms", window="60s")
    with start(host, text, "--force") as carried:
        carried.wait_event(event="sample", state="verifying")
        host.knob("health-500")
        carried.wait_event(event="state", state="rolling-back")
        host.knob("health-500", None)
        ended = carried.end()
    if ended.code != ROLLED_BACK:
        raise LabError(f"the run was not rolled back: {ended}")
    failing = next(event for event in ended.events if event["event"] == "sample" and not event["ok"])
    proved = next(event for event in ended.events if event["event"] == "step-done" and event["state"] == "restored" and
                  event["subject"] == "services stay up and run what is on disk")
    return event_time(proved) - event_time(failing)


def measure_rollback(host, rounds):
    """Medians: salve's seconds, those of the bare commands, and those until all workers are there again."""
    rows = []
    for _ in range(rounds + 1):
        seconds = rollback_seconds(host)
        reset(host)
        bare = host.run(["/usr/bin/python3", "-c", BARE % SPEC.workers]).stdout.split()
        rows.append((seconds, *map(float, bare)))
    return [statistics.median(column) for column in zip(*rows[1:])]


def purpose_of(path):
    return next((purpose for purpose, part in PURPOSES if part in path), path)


def synchronised(host, directory):
    """Of one run: what it synchronised as {purpose: [seconds]}, and the seconds of its snapshot."""
    reset(host)
    trace = directory / "trace"
    argv = ["salve", "--json", "run", "--yes", "--force", *FOREGROUND, "--verify", "once", "/root/playbooks/test.yaml"]
    under = ["strace", "-f", "-y", "-T", "-e", f"trace={SYNCS}", "-o", str(trace)]
    with host.container.enter(argv, under=under, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        events = [json.loads(line) for line in process.stdout]
    syncs = collections.defaultdict(list)
    for path, seconds in re.findall(r"sync[a-z_]*\(\d+<([^>]*)>.*<([0-9.]+)>$", trace.read_text(), re.MULTILINE):
        syncs[purpose_of(path)].append(float(seconds))
    snapshot = next(event["duration_usec"] for event in events if event["event"] == "step-done" and
                    event["subject"].startswith("snapshot of"))
    return syncs, snapshot / 1e6


def measure_durability(host, directory, rounds):
    """Prints what durability costs by purpose, and returns the seconds of it all: medians over the rounds."""
    runs = [synchronised(host, directory) for _ in range(rounds + 1)][1:]
    syncs = runs[0][0]
    rows = [("snapshot, read back and compared", len(syncs["snapshot"]),
             statistics.median(snapshot for _, snapshot in runs))]
    rows += [(purpose, len(syncs[purpose]), statistics.median(sum(other[purpose]) for other, _ in runs))
             for purpose in syncs if purpose != "snapshot"]
    for purpose, count, seconds in rows:
        print(f"durability: {purpose:40} {count:3} syncs {seconds * 1000:6.1f} ms")
    return sum(seconds for _, _, seconds in rows)


def report(times, plan, rollback, durability):
    medians = {name: statistics.median(values) for name, values in times.items()}
    salve, script, other = medians.values()
    for name, median in medians.items():
        print(f"{name:26} {median:6.2f} s  (from {min(times[name]):.2f} to {max(times[name]):.2f})")
    print(f"{'rollback':26} {rollback[0]:6.2f} s  (bare commands {rollback[1]:.2f} s, until all workers are there "
          f"{rollback[2]:.2f} s)")
    rows = [("salve / shell script", salve / script, SCRIPT_GOAL, ""),
            ("salve / ansible", salve / other, ANSIBLE_GOAL, ""),
            ("salve plan", plan[0] * 1000, PLAN_SECONDS * 1000, " ms"),
            ("salve plan, memory", plan[1], PLAN_MIB, " MiB"),
            ("rollback / bare restart", rollback[0] / rollback[2], ROLLBACK_GOAL, ""),
            ("durability of a run", durability * 1000, DURABILITY_SECONDS * 1000, " ms")]
    for name, value, goal, unit in rows:
        verdict = "reached" if value <= goal else "missed"
        print(f"{name:26} {value:6.2f}{unit}  (goal: at most {goal:.2f}{unit}: {verdict})")
    return all(value <= goal for _, value, goal, _ in rows)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run-bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is timed (default: 5)")
    options = parser.parse_args()
    try:
        with Lab() as lab, tempfile.TemporaryDirectory(prefix="salve-bench-") as directory:
            host = lab.boot(SPEC, salve=build())
            host.wait_site()
            directory = pathlib.Path(directory)
            times = measure_runs(host, directory, options.rounds)
            plan = measure_plan(host, 4 * options.rounds)
            durability = measure_durability(host, directory, options.rounds)
            rollback = measure_rollback(host, options.rounds)
            good = report(times, plan, rollback, durability)
        return 0 if good else 1
    except LabError as error:
        print(f"tests/bench/run-bench: {error}", file=sys.stderr)
        return 1


sys.exit(main())
