#!/usr/bin/env python3
"""Programs that are never idle are never seen idle, under libidle.so.

    tests/stress/idle.py [--runs N] [--busy] [--only WORD]… [--hows try,block]

Each line of the table is N runs (1 000) of a program that always has somebody who runs or was just promised to, while
`tests/guests/idle/watch.c` looks at its state file: by flock(LOCK_NB) as fast as it can, or by a blocking flock. A sighting is
a lock that was got before the end; nor may the number move. The programs are the ring of `tests/guests/idle/bounce.c`, 100
turns between 2 threads and 640 between 64, and each kind of hand-over of `handover`, a hundredth of the runs and more turns
each. --busy keeps all cores busy with something else meanwhile. Exit status 1 on any failure.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from runner import BusyCores, RunFailed, build, print_row, run, under_idle  # noqa: E402

WIDTHS = (28, 6, 6, 9, 6)
TURNS = {"cheap": 5000, "creates": 200, "slow": 40}
# Generous: natively a turn takes up to 50 us, a process 1 ms; on busy cores many times that.
SECONDS_A_RUN = {"cheap": 5, "creates": 10, "slow": 15}
SHARE = 100


def programs(runs):
    """[(title, argv, runs, seconds a run)]"""
    here = Path(__file__).resolve().parent
    guests, stress = build(here.parent / "guests" / "idle"), build(here)
    found = [(f"ring, {kind}, {threads} threads", [guests["bounce"], kind, str(threads), str(turns)], runs, 1)
             for kind in ("sem", "cond") for threads, turns in ((2, 100), (64, 640))]
    listing = subprocess.run([stress["handover"], "--list"], capture_output=True, text=True, check=True).stdout
    for name, cost, modes in map(str.split, listing.splitlines()):
        for mode in modes.split(","):
            argv = [stress["handover"], name, str(TURNS[cost]), mode]
            found.append((f"{name}, {mode}", argv, max(runs // SHARE, 1), SECONDS_A_RUN[cost]))
    return guests["watch"], found


def watch(watcher, how, title, argv, runs, seconds):
    """One line of the table; whether it failed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [watcher, how, str(runs), under_idle()["LD_PRELOAD"], folder, *argv]
        try:
            # Only the last line: the programs print too.
            out = run(command, 10 + runs * seconds, expect=(0, 1)).splitlines()[-1]
        except (RunFailed, IndexError) as failure:
            out = str(failure)
    failed = out != f"runs {runs}, failed 0, sightings 0, numbers moved 0"
    print_row((title, how, str(runs), f"{time.monotonic() - began:.1f} s", "FAIL" if failed else "ok"), WIDTHS)
    if failed:
        print(f"    {out.strip()}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--busy", action="store_true", help="keep all cores busy with something else")
    parser.add_argument("--only", action="append", metavar="WORD", help="lines whose title has this word (repeatable)")
    parser.add_argument("--hows", default="try,block")
    options = parser.parse_args()
    if not under_idle():
        print("libidle.so is not built", file=sys.stderr)
        return 2
    watcher, found = programs(options.runs)
    print_row(("program", "how", "runs", "took", ""), WIDTHS)
    failures = 0
    with BusyCores(options.busy):
        for title, *rest in found:
            if not options.only or any(word in title for word in options.only):
                failures += sum(watch(watcher, how, title, *rest) for how in options.hows.split(","))
    print(f"{failures} failed" if failures else "never seen idle")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
