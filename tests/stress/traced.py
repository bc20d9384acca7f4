#!/usr/bin/env python3
"""Sessions of traced programs, dynamic ones, and both in one, half of which are killed at a random moment: the launcher, a
child of its (the command or the tracer), or a grandchild, in turn. Nothing may be left behind: no process in whatever
state, zombies and stopped ones included, no file, no shared memory.

    tests/stress/traced.py [--sessions N] [--seed N] [--clock frozen|elapsed]

`tests/stress/run.py --kinds traced` does the same beside the others.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from runner import under_flux  # noqa: E402

# Started with the path of a second program, which its child and its grandchild become after a while.
SOURCE = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static void nap(long ms) { struct timespec t = { ms / 1000, ms % 1000 * 1000000 }; nanosleep(&t, 0); }
static void *naps(void *x) { for (int i = 0; i < 200; i++) nap(1000 + (long)x); return 0; }
int main(int argc, char **argv)
{
	pthread_t t[3];
	if (argc > 1 && fork() == 0) {
		if (fork() == 0) {
			for (int i = 0; i < 100; i++) nap(700);
			execl(argv[1], argv[1], (char *)0);
		}
		for (int i = 0; i < 300; i++) nap(300);
		wait(0);
		execl(argv[1], argv[1], (char *)0);
	}
	for (long i = 0; i < 3; i++) pthread_create(&t[i], 0, naps, (void *)i);
	for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
	while (wait(0) > 0) ;
	return 0;
}
"""
LINKED = {"static": ["-static"], "dynamic": []}
# What the first program is, and what the others become.
KINDS = (("static", "static"), ("static", "dynamic"), ("dynamic", "static"), ("dynamic", "dynamic"))
# Which programs are traced, by turns.
TRACES = ("auto", "all")
SECONDS = 60  # for a session that takes about one where the machine is busy


def build(folder):
    programs = {}
    for name, flags in LINKED.items():
        programs[name] = f"{folder}/{name}"
        command = ["gcc", "-O2", *flags, "-pthread", "-o", programs[name], "-x", "c", "-"]
        subprocess.run(command, input=SOURCE, text=True, check=True)
    return programs


def fields(pid):
    """(state, session) of a process; None if there is none."""
    try:
        state, _, _, session = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
        return state, int(session)
    except (OSError, ValueError):
        return None


def left_of(session):
    """{pid: state} of what was started in a session of the kernel's, setsid(2). A zombie keeps that number."""
    found = {int(entry): fields(entry) for entry in os.listdir("/proc") if entry.isdigit()}
    return {pid: got[0] for pid, got in found.items() if got and got[1] == session}


def children(pid):
    try:
        return [int(p) for task in Path(f"/proc/{pid}/task").iterdir()
                for p in (task / "children").read_text().split()]
    except OSError:
        return []


def ends_with_launcher(pid, trace):
    """Is it traced, or the tracer? (A dynamic program that a traced one has executed keeps its filter, has the library, and is
    traced only if all are.)"""
    try:
        filtered = "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()
        traced = filtered and (trace == "all" or "libflux.so" not in Path(f"/proc/{pid}/maps").read_text())
        return traced or Path(f"/proc/{pid}/cmdline").read_bytes() == b"/proc/self/exe\0"
    except OSError:
        return False


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def choose(launcher, generation, chance):
    """The launcher, or a process of that generation below it, as far as there are any."""
    victim = launcher
    for _ in range(generation):
        below = children(victim)
        if not below:
            break
        victim = chance.choice(below)
    return victim


def session(programs, number, chance, clock, folder):
    """Runs one; says what is wrong."""
    first, other = KINDS[number // 6 % len(KINDS)]
    trace = TRACES[number // 24 % len(TRACES)]
    argv = under_flux([programs[first], programs[other]], clock, [f"--trace={trace}"])
    process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True)
    victim = None
    if number % 2:
        time.sleep(chance.random() * 0.04)
        victim = choose(process.pid, number // 2 % 3, chance)
        end([victim])
    what = f"session {number}, {trace}, {first} and {other}, victim {victim} of {process.pid}"
    try:
        status = process.wait(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        left = left_of(process.pid)
        end(left)
        process.wait()
        return f"{what}: does not end: {left}"
    if victim is None and status:
        return f"{what}: status {status}"
    until = time.monotonic() + 10
    while left := left_of(process.pid):
        if victim == process.pid:
            # Those with the library go on in real time, and those that were not traced yet; traced ones are gone, but
            # for zombies of parents that go on.
            left = {pid: state for pid, state in left.items() if ends_with_launcher(pid, trace) and state != "Z" or state == "T"}
            if not left:
                victim = 0
                continue
        elif victim == 0:
            # Again and again: they make others meanwhile.
            end(left)
        if time.monotonic() > until:
            end(left_of(process.pid))
            return f"{what}: left {left}"
        time.sleep(0.01)
    return None


def shared_memory():
    return {entry for entry in os.listdir("/dev/shm") if "flux" in entry}


def sessions(count, clock="elapsed", seed=1):
    """What was wrong with `count` sessions, a text each."""
    chance, before = random.Random(seed), shared_memory()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as empty:
        programs = build(folder)
        bad = [text for n in range(count) if (text := session(programs, n, chance, clock, empty))]
        bad += [f"a file is left: {name}" for name in os.listdir(empty)]
    return bad + [f"shared memory is left: {name}" for name in shared_memory() - before]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clock", choices=("frozen", "elapsed"), default="elapsed")
    options = parser.parse_args()
    bad = sessions(options.sessions, options.clock, options.seed)
    for text in bad:
        print(text)
    print(f"{options.sessions} sessions, {len(bad)} bad")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
