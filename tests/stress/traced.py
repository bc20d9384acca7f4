#!/usr/bin/env python3
"""Sessions of traced programs, half of which are killed at a random moment: the launcher, a child of the command, or a
grandchild, in turn. Nothing may be left behind: no process, whatever its state.

    tests/stress/traced.py [--sessions N] [--seed N] [--launcher PATH]
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
			execlp("sleep", "sleep", "1000", (char *)0);
		}
		for (int i = 0; i < 300; i++) nap(300);
		wait(0);
		char *again[] = { argv[0], 0 };
		execv(argv[0], again);
	}
	for (long i = 0; i < 3; i++) pthread_create(&t[i], 0, naps, (void *)i);
	for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
	while (wait(0) > 0) ;
	return 0;
}
"""


def with_mark(mark):
    """Processes that have the mark in their environment, zombies among our descendants included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


def children(pid):
    try:
        return [int(p) for task in Path(f"/proc/{pid}/task").iterdir()
                for p in (task / "children").read_text().split()]
    except OSError:
        return []


def filtered(pid):
    try:
        return "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def session(launcher, program, number, chance):
    mark = f"TRACED_MARK={os.getpid()}-{number}"
    name, value = mark.split("=")
    process = subprocess.Popen([launcher, "--", program, "deep"], env={**os.environ, name: value},
                               stdout=subprocess.DEVNULL, start_new_session=True)
    victim = None
    if number % 2:
        time.sleep(chance.random() * 0.04)
        victim = process.pid
        for _ in range(number // 2 % 3 + (number // 2 % 3 > 0)):
            below = children(victim)
            if not below:
                break
            victim = chance.choice(below)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
    try:
        status = process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        left = [(p, Path(f"/proc/{p}/stat").read_text().split(")")[0:2]) for p in with_mark(mark.encode())]
        os.killpg(process.pid, signal.SIGKILL)
        return f"session {number} (victim {victim}) does not end: {left}"
    if victim is None and status:
        return f"session {number}: status {status}"
    end = time.monotonic() + 5
    while left := with_mark(mark.encode()):
        if victim == process.pid:
            # Those with the library go on in real time, and those that were not traced yet; traced ones are gone.
            left = [p for p in left if filtered(p)]
            if not left:
                for p in with_mark(mark.encode()):
                    os.kill(p, signal.SIGKILL)
                return None
        if time.monotonic() > end:
            return f"session {number} (victim {victim}) left {left}"
        time.sleep(0.01)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--launcher", default=str(Path(__file__).resolve().parents[2] / "target/release/flux-launch"))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/traced"
        subprocess.run(["gcc", "-O2", "-static", "-pthread", "-o", program, "-x", "c", "-"], input=SOURCE, text=True, check=True)
        bad = [text for n in range(options.sessions) if (text := session(options.launcher, program, n, chance))]
    for text in bad:
        print(text)
    print(f"{options.sessions} sessions, {len(bad)} bad")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
