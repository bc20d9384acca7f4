#!/usr/bin/env python3
"""Exactness under stress: hand-overs of every kind beside a sleeper, runs that must repeat, sessions that are killed.

    tests/stress/run.py [--short | --full] [--busy] [--kinds KIND,…] [--clock frozen|elapsed] [--native]

Each line of the table is one run of `handover`: in frozen mode not a nanosecond may pass and the hour sleeper must not
wake; in elapsed mode it must not wake either. `repeat` must print the same in every run. `storm` kills, stops and continues
processes that make others, and then an hour must still jump: with the library, statically linked, and where all are traced.
Of `traced` (traced.py), which is not run natively, nothing may be left. --full takes about half an hour; --short, the
default, a minute or two. --busy keeps both cores busy with something else meanwhile: a wake-up that is promised and not yet
run then stays so for milliseconds. Exit status 1 on any failure.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import traced  # noqa: E402
from runner import BusyCores, RunFailed, build, launcher, print_row, run, under_flux  # noqa: E402

WIDTHS = (16, 10, 9, 10, 16, 6)
# Hand-overs by what a kind costs: nothing, a new thread or process each, 40 ms of the kernel's own time each.
COUNTS = {"short": {"cheap": 20_000, "creates": 500, "slow": 40},
          "full": {"cheap": 1_000_000, "creates": 10_000, "slow": 1_000}}
REPEATS = {"short": 20, "full": 200}
SESSIONS = {"short": 24, "full": 1000}
STORMS = {"short": 2, "full": 40}
GROUPS = 60  # of processes in a storm
# Generous: natively a hand-over takes up to 50 us, a process 1 ms, and busy cores make both several times slower.
SECONDS_EACH = {"cheap": 0.0005, "creates": 0.02, "slow": 0.2}


def command(argv, options):
    return argv if options.native else under_flux(argv, options.clock)


def kinds(program):
    """[(name, cost, modes)], asked from the program itself."""
    listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
    return [(name, cost, modes.split(",")) for name, cost, modes in map(str.split, listing.splitlines())]


def handover(program, name, mode, cost, options):
    """One line of the table; the reason if it failed."""
    count = options.count or COUNTS[options.size][cost]
    exact = ["--exact"] if options.clock == "frozen" and not options.native else []
    began = time.monotonic()
    reason, passed = None, "-"
    try:
        limit = 15 + count * SECONDS_EACH[cost]
        # Status 1 is a finding, which the program prints; anything else is a failure of the run itself.
        out = run(command([program, *exact, name, str(count), mode], options), limit, expect=(0, 1))
        summary, *moved = sorted(out.splitlines())
        figures = dict(word.split("=") for word in summary.split()) if summary.startswith("handovers=") else {}
        passed = figures.get("virtual_ns", "-")
        if not figures:
            reason = out
        elif exact and (moved or passed != "0" or figures["hour_wakes"] != "0"):
            reason = "; ".join([f"hour sleeper woke {figures['hour_wakes']} times", *moved])
        elif figures["hour_wakes"] != "0" or int(passed) > int(figures["real_ns"]) + 1_000_000_000:
            reason = f"hour sleeper woke {figures['hour_wakes']} times; {figures['real_ns']} ns really passed"
    except (RunFailed, ValueError) as failure:
        reason = str(failure)
    print_row((name, mode, str(count), f"{time.monotonic() - began:.2f} s", passed, "FAIL" if reason else "ok"), WIDTHS)
    if reason:
        print(f"    {reason.strip()}")
    return reason


def repeats(program, options):
    """The same output in every frozen run; in the other modes only that no wait ends early."""
    times = options.repeats or REPEATS[options.size]
    outputs, reason, began = {}, None, time.monotonic()
    argv = command([program, *(["2000"] if options.native else [])], options)
    for number in range(times):
        try:
            out = run(argv, timeout=30)
        except RunFailed as failure:
            reason = f"run {number}: {failure}"
            break
        first = outputs.setdefault(hashlib.sha256(out.encode()).hexdigest(), out)
        if options.clock == "frozen" and not options.native and len(outputs) > 1:
            before = next(iter(outputs.values()))
            differing = [(a, b) for a, b in zip(before.splitlines(), first.splitlines()) if a != b]
            reason = f"run {number} differs in {len(differing)} lines: '{differing[0][0]}' is now '{differing[0][1]}'"
            break
    print_row(("repeat", "", str(times), f"{time.monotonic() - began:.2f} s", f"{len(outputs)} outputs",
               "FAIL" if reason else "ok"), WIDTHS)
    if reason:
        print(f"    {reason.strip()}")
    return reason


def killed(options):
    """Sessions, half of which are killed at a random moment."""
    count, began = SESSIONS[options.size], time.monotonic()
    bad = traced.sessions(count, options.clock)
    print_row(("traced", "", str(count), f"{time.monotonic() - began:.2f} s", "-", "FAIL" if bad else "ok"), WIDTHS)
    for text in bad:
        print(f"    {text}")
    return bad


def storms(programs, options):
    """Storms of signals over programs that the library, the tracer, and both speak for; the reason if one failed."""
    failed = None
    last = 1 if options.native else 3600
    for name, program, extra in (("library", "storm", []), ("static", "storm-static", []), ("all", "storm", ["--trace=all"])):
        count, reason, began = STORMS[options.size], None, time.monotonic()
        for seed in range(count):
            argv = [programs[program], str(seed), str(GROUPS), str(last)]
            try:
                out = run(argv if options.native else under_flux(argv, options.clock, extra), timeout=60)
                reason = None if out == f"slept {last}\n" else out
            except RunFailed as failure:
                reason = str(failure)
            if reason:
                reason = f"seed {seed}: {reason.strip()}"
                break
        print_row(("storm", name, str(count), f"{time.monotonic() - began:.2f} s", "-", "FAIL" if reason else "ok"), WIDTHS)
        if reason:
            print(f"    {reason}")
        failed = failed or reason
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", dest="size", action="store_const", const="short", default="short")
    parser.add_argument("--full", dest="size", action="store_const", const="full")
    parser.add_argument("--count", type=int, help="hand-overs of each kind, whatever it costs")
    parser.add_argument("--repeats", type=int, help="runs of `repeat` (20, with --full 200)")
    parser.add_argument("--busy", action="store_true", help="keep all cores busy with something else")
    parser.add_argument("--kinds", help="only these, separated by commas; `repeat`, `storm` and `traced` are three")
    parser.add_argument("--modes", default="threads,processes")
    parser.add_argument("--clock", choices=("frozen", "elapsed"), default="frozen")
    parser.add_argument("--native", action="store_true", help="without the tool, to check the programs")
    options = parser.parse_args()
    if not options.native and not launcher():
        print("flux-launch is not built", file=sys.stderr)
        return 2
    programs = build(Path(__file__).parent, static=["storm"])
    wanted = options.kinds.split(",") if options.kinds else None
    unknown = set(wanted or ()) - {name for name, _, _ in kinds(programs["handover"])} - {"repeat", "storm", "traced"}
    if unknown:
        print(f"no such kind: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    failures = 0
    print_row(("kind", "between", "count", "took", "virtual ns", ""), WIDTHS)
    with BusyCores(options.busy):
        for name, cost, modes in kinds(programs["handover"]):
            for mode in modes:
                if mode in options.modes.split(",") and (not wanted or name in wanted):
                    failures += bool(handover(programs["handover"], name, mode, cost, options))
        if not wanted or "repeat" in wanted:
            failures += bool(repeats(programs["repeat"], options))
        if not wanted or "storm" in wanted:
            failures += bool(storms(programs, options))
        if not options.native and (not wanted or "traced" in wanted):
            failures += bool(killed(options))
    print(f"{failures} failed" if failures else "all exact")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
