# SPDX-License-Identifier: Apache-2.0
"""One job on one lab host, done three ways: by `salve run --verify once`, by a shell script, by Ansible over ssh.

The job: raise Gunicorn's timeout in a drop-in, align nginx, test both, activate, ask the site once, look at the journal.
Settle time and window are excluded on all sides. Each way takes turns with the others, and its median counts. Also
printed: what `salve plan` takes. Ends with exit code 1 where a goal is missed.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lab import Lab, LabError, Spec, machine  # noqa: E402
from lab.playbooks import HEALTH, TIMEOUT, WORKER_TIMEOUTS, align, playbook, write_playbook  # noqa: E402

SCRIPT_GOAL, ANSIBLE_GOAL = 1.15, 1 / 3
PLAN_SECONDS, PLAN_MIB = 0.030, 20
SPEC = Spec(proxy_read_timeout="3s")

RESET = """\
rm -rf /etc/systemd/system/gunicorn.service.d /etc/nginx/sites-available/site.*
sed -i 's/proxy_read_timeout 10s;/proxy_read_timeout 3s;/' /etc/nginx/sites-available/site
systemctl daemon-reload && systemctl restart gunicorn && systemctl reload nginx
"""

# What one command takes, measured on the host itself: seconds and the most memory it held.
MEASURE = """\
import resource, subprocess, sys, time
started = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def build():
    """An optimized build of this checkout."""
    directory = machine.BUILD / "release"
    if not (directory / "build.ninja").exists():
        machine.command("meson", "setup", "--buildtype=release", "--prefix=/usr", str(directory),
                        str(machine.REPOSITORY))
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


def measure_runs(host, directory, rounds):
    times = {}
    jobs = ways(host, directory)
    for number in range(rounds + 1):
        for name, job in jobs.items():
            host.run(RESET)
            host.wait_site()
            seconds = timed(job)
            if "proxy_read_timeout 10s;" not in host.read("/etc/nginx/sites-available/site"):
                raise LabError(f"{name} did not do the job")
            if number > 0:  # the first round warms caches
                times.setdefault(name, []).append(seconds)
    return times


def measure_plan(host, rounds):
    host.run(RESET)
    host.wait_site()
    argv = ["/usr/bin/python3", "-c", MEASURE, "salve", "plan", "/root/playbooks/test.yaml"]
    results = [[float(word) for word in host.run(argv).stdout.split()] for _ in range(rounds + 1)][1:]
    return statistics.median(seconds for seconds, _ in results), max(mib for _, mib in results)


def report(times, plan):
    medians = {name: statistics.median(values) for name, values in times.items()}
    salve, script, other = medians.values()
    for name, median in medians.items():
        print(f"{name:26} {median:6.2f} s  (from {min(times[name]):.2f} to {max(times[name]):.2f})")
    rows = [("salve / shell script", salve / script, SCRIPT_GOAL, ""),
            ("salve / ansible", salve / other, ANSIBLE_GOAL, ""),
            ("salve plan", plan[0] * 1000, PLAN_SECONDS * 1000, " ms"),
            ("salve plan, memory", plan[1], PLAN_MIB, " MiB")]
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
            times = measure_runs(host, pathlib.Path(directory), options.rounds)
            good = report(times, measure_plan(host, 4 * options.rounds))
        return 0 if good else 1
    except LabError as error:
        print(f"tests/bench/run-bench: {error}", file=sys.stderr)
        return 1


sys.exit(main())
