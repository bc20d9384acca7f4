#!/usr/bin/env python3
"""Sessions in which processes are killed and stopped at random moments, while others sleep in loops.

    tests/stress/kill.py [--sessions N] [--seed N] [--creating] [--launcher] [--native]

Whatever a process held when it died must be released: the others go on, and the session ends. While a process is
stopped, the others must go on, too. With --creating they do little else but make processes, and are killed in the middle
of that. With --launcher it is flux-launch that is killed: the rest then runs on in real
time and ends by itself. --native runs the same without the tool, to check this script.
"""

import argparse
import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from runner import RunFailed, build, end_marked, finish, launcher, marked, new_mark, start, under_flux  # noqa: E402

ROW = struct.Struct("qq")  # pid, progress
CHILDREN = 6
LASTS_MS = 1200  # real time a child waits and works
MOST_KILLED = 3
HOUR_NS, MS_NS = 3_600_000_000_000, 1_000_000


class Progress:
    """The counters that the children of a session keep in a shared file."""

    def __init__(self, path):
        path.write_bytes(b"\0" * ROW.size * CHILDREN)
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    def pid(self, child):
        return ROW.unpack_from(self.memory, child * ROW.size)[0]

    def of(self, children):
        return sum(ROW.unpack_from(self.memory, child * ROW.size)[1] for child in children)

    def wait_for_start(self, process, limit=10):
        end = time.monotonic() + limit
        while not all(self.pid(child) and self.of([child]) for child in range(CHILDREN)):
            if time.monotonic() > end:
                missing = [c for c in range(CHILDREN) if not (self.pid(c) and self.of([c]))]
                state = "is still there" if process.poll() is None else "has ended"
                raise RunFailed(f"children {missing} did nothing within {limit} s; the session {state}")
            time.sleep(0.001)


def send(pid, number):
    """False if it had already ended."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def stop_for_a_while(progress, child, others, chance, deadline):
    """SIGSTOP one child; somebody else must make progress before it may go on."""
    if not send(progress.pid(child), signal.SIGSTOP):
        return
    try:
        time.sleep(0.001)  # it stops when it next leaves the kernel
        before = progress.of(others)
        end = time.monotonic() + 1.0
        while progress.of(others) == before:
            if time.monotonic() > end and time.monotonic() < deadline + 1.0:
                raise RunFailed(f"while child {child} was stopped, nobody went on for a second")
            if time.monotonic() > deadline:
                return  # they have all ended
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
    finally:
        send(progress.pid(child), signal.SIGCONT)


def disturb(progress, chance, deadline):
    """Kill and stop until shortly before the children end; return who was killed."""
    alive, killed = list(range(CHILDREN)), []
    while time.monotonic() < deadline - 0.2:
        time.sleep(chance.uniform(0.001, 0.06))
        child = chance.choice(alive)
        if chance.random() < 0.3 and len(killed) < MOST_KILLED:
            if chance.random() < 0.5:
                send(progress.pid(child), signal.SIGSTOP)  # killed while stopped: it never gets to run again
            if send(progress.pid(child), signal.SIGKILL):
                killed.append(child)
                alive.remove(child)
        else:
            stop_for_a_while(progress, child, [c for c in alive if c != child], chance, deadline)
    return killed


def check_report(output, killed):
    for child in range(CHILDREN):
        expected = f"child {child} signal 9" if child in killed else f"child {child} exit 0"
        if expected not in output.splitlines():
            raise RunFailed(f"expected '{expected}', got:\n{output}")


def wait_until_gone(mark, limit=15):
    end = time.monotonic() + limit
    while left := marked(mark):
        if time.monotonic() > end:
            raise RunFailed(f"{len(left)} processes still there {limit} s after the launcher was killed")
        time.sleep(0.01)


def session(program, folder, clock, chance, options):
    progress = Progress(Path(folder, "progress"))
    real_time = options.native or options.launcher
    argv = [program, str(Path(folder, "progress")), str(CHILDREN), str(LASTS_MS), str(MS_NS if real_time else HOUR_NS),
            "80" if options.creating else "1"]
    mark = new_mark()
    began = time.monotonic()
    process = start(argv if options.native else under_flux(argv, clock), mark)
    try:
        progress.wait_for_start(process)
        if options.launcher:
            time.sleep(chance.uniform(0, 0.5))
            process.kill()
            process.wait()
            wait_until_gone(mark)
            return 1, progress.of(range(CHILDREN))
        killed = disturb(progress, chance, began + LASTS_MS / 1000)
        check_report(finish(process, mark, timeout=20), killed)
        return len(killed), progress.of(range(CHILDREN))
    finally:
        end_marked(mark)
        process.communicate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first session; each next one adds one")
    parser.add_argument("--creating", action="store_true", help="kill processes that make processes")
    parser.add_argument("--launcher", action="store_true", help="kill the launcher instead")
    parser.add_argument("--native", action="store_true", help="without the tool")
    options = parser.parse_args()
    if not options.native and not launcher():
        print("flux-launch is not built", file=sys.stderr)
        return 2
    program, failures, all_killed, all_waits = build(Path(__file__).parent)["victim"], 0, 0, 0
    for number in range(options.sessions):
        seed = options.seed + number
        clock = ("elapsed", "frozen")[seed % 2]
        with tempfile.TemporaryDirectory() as folder:
            try:
                killed, waits = session(program, folder, clock, random.Random(seed), options)
                all_killed += killed
                all_waits += waits
            except RunFailed as failure:
                failures += 1
                print(f"seed {seed}, {clock}: {failure}", flush=True)
    print(f"{options.sessions} sessions, {all_killed} killed, {all_waits} waits, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
