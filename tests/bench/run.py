#!/usr/bin/env python3
"""The benchmark: one table, native / flux elapsed / flux frozen / libidle / faketime, against the bounds of the requirements.

    tests/bench/run.py [--quick] [--only KEY]… [--pairs N] [--trace] [--conformance] [--list]

Every figure of a line comes from the same minutes: the columns are run in turn, round after round, in one order and
then in the other, and a ratio is the median of the rounds' ratios. So a machine that is busy for a while slows both
sides of a ratio alike. Exit status 1 when a bound is missed, 2 when something could not be measured.

flux-launch is taken from target/release, or from $FLUX_LAUNCH, libidle.so from the same folder; `cargo build --release`
makes them.
"""

import argparse
import os
import select
import statistics
import subprocess
import sys
from pathlib import Path

import lines as table
from lines import ELAPSED, FAKETIME, FLUX, FROZEN, IDLE, NATIVE, UNTRACED
from runner import (RunFailed, build, end_marked, finish, launcher, new_mark, on_one_core, print_row, run,
                    start, under_flux, under_idle)

WIDTHS = (46, 6, 12, 17, 17, 17, 17, 22, 5)
UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "MiB": 1 << 20, "x": 1}
LIMIT = 60  # seconds a run


def faketime_library():
    for path in ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib64/faketime", "/usr/lib/faketime"):
        library = Path(path, "libfaketimeMT.so.1")
        if library.exists():
            return str(library)
    return None


def command(line, column, argv):
    """The argument vector and environment that run a program in a column."""
    env = {}
    if column in (*FLUX, UNTRACED):
        extra = ("--trace=none",) if column == UNTRACED else ()
        clock = ELAPSED if column == UNTRACED else column
        if line.launcher_inside:
            # `spawn COUNT fork command` stays native; the command it repeats is a whole session.
            argv = [*argv[:3], *under_flux(argv[3:], clock, extra)]
        else:
            argv = under_flux(argv, clock, extra)
    elif column == IDLE:
        env = under_idle()
    elif column == FAKETIME:
        env = {"LD_PRELOAD": faketime_library(), "FAKETIME": "+0"}
    return (on_one_core(argv) if line.one_core else argv), env


def session_memory(pid):
    """Bytes the kernel holds for the shared memory a launcher has open."""
    regions = {}
    for fd in Path("/proc", str(pid), "fd").iterdir():
        try:
            if os.readlink(fd).startswith(("/memfd:", "/dev/shm/")):
                status = fd.stat()
                regions[(status.st_dev, status.st_ino)] = status.st_blocks * 512
        except OSError:
            continue
    if not regions:
        raise RunFailed("the launcher has no shared memory open")
    return sum(regions.values())


def measure_memory(argv):
    mark = new_mark()
    process = start(argv, mark)
    try:
        # Not readline: a guest that hangs before it is ready would keep that waiting.
        readable, _, _ = select.select([process.stdout], [], [], LIMIT)
        if not readable or os.read(process.stdout.fileno(), 64) != b"ready\n":
            raise RunFailed("the program ended, or hung, before all its threads slept")
        size = session_memory(process.pid)
        finish(process, mark, LIMIT)
        return size
    finally:
        end_marked(mark)


def figure(line, column):
    """One run of a line in one column: the figure in ns (or bytes, or a plain ratio)."""
    commands = line.native if column == NATIVE and line.native else line.commands
    values = []
    for argv in commands:
        argv, env = command(line, column, argv)
        values.append(measure_memory(argv) if line.kind == "memory" else float(run(argv, LIMIT, env)))
    return values[0] if len(values) == 1 else values[1] / values[0]


def measure(line, columns, pairs):
    """{column: [figure of each round]}; a column that fails is left out and its reason printed."""
    figures = {column: [] for column in columns}
    for round_number in range(pairs):
        order = list(figures)
        for column in order if round_number % 2 == 0 else reversed(order):
            try:
                figures[column].append(figure(line, column))
            except (RunFailed, ValueError) as failure:
                print(f"  {line.key}, {column}: {failure}", file=sys.stderr)
                del figures[column]
    return figures


def judge(line, figures, present):
    """(cells of the columns, bound in words, verdict)"""
    scale = UNITS[line.unit]
    base = UNTRACED if UNTRACED in line.columns else NATIVE
    native = figures.get(base)
    cells, bounds, misses, judged = [], [], 0, 0
    for column in (base, ELAPSED, FROZEN, IDLE, FAKETIME):
        values = figures.get(column)
        if not values:
            cells.append("failed" if column in line.columns and column in present else "-")
            continue
        value = statistics.median(values) / scale
        cell = f"{value:.2f}"
        ratio = statistics.median(v / n for v, n in zip(values, native)) if native and column != base else None
        if ratio is not None:
            cell += f" ({ratio:.2f}x)"
        cells.append(cell)
        over = statistics.median(v - n for v, n in zip(values, native)) / scale if native else None
        for limits, got in ((line.ratio, ratio), (line.absolute, value), (line.over, over)):
            if column in limits:
                judged += 1
                misses += got is None or got > limits[column]
    for limits, words in ((line.ratio, "{}x"), (line.absolute, "{} " + line.unit), (line.over, "native + {} " + line.unit)):
        for limit in dict.fromkeys(limits.values()):
            bounds.append("<= " + words.format(limit))
    asked = set(line.ratio) | set(line.absolute) | set(line.over)
    if not asked:
        verdict = ""
    elif any(column not in figures for column in asked):
        verdict = "?"
    else:
        verdict = "MISS" if misses else "ok"
    return cells, ", ".join(bounds), verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the work and three rounds")
    parser.add_argument("--only", action="append", metavar="KEY", help="lines whose key matches (repeatable)")
    parser.add_argument("--pairs", type=int, help="rounds a line (7; with --quick 3)")
    parser.add_argument("--trace", action="store_true", help="what --trace=auto costs programs that are not traced")
    parser.add_argument("--spread", action="store_true", help="also print the lowest and highest figure of each column")
    parser.add_argument("--conformance", action="store_true", help="instead: CPython's own tests, the wall times (half an hour)")
    parser.add_argument("--list", action="store_true", help="print the keys and stop")
    options = parser.parse_args()
    lines = table.all_lines(build(Path(__file__).parent, table.STATIC), options.quick)
    if options.conformance:
        return subprocess.run([Path(__file__).parents[1] / "conformance/python.py"]).returncode
    lines = table.selected([*table.traced(lines)] if options.trace else lines, options.only)
    if options.list:
        for line in lines:
            print(f"{line.key:12} {line.title}")
        return 0
    pairs = options.pairs or (3 if options.quick else 7)
    present = {NATIVE}
    if launcher():
        present.update((*FLUX, UNTRACED))
    else:
        print("flux-launch is not built: native figures only", file=sys.stderr)
    if under_idle():
        present.add(IDLE)
    if faketime_library():
        present.add(FAKETIME)
    print_row(("measurement", "unit", "--trace=none" if options.trace else "native", "flux elapsed", "flux frozen", "libidle", "faketime", "bound", ""), WIDTHS)
    verdicts = []
    for line in lines:
        figures = measure(line, [c for c in line.columns if c in present], pairs)
        cells, bound, verdict = judge(line, figures, present)
        print_row((line.title, line.unit, *cells, bound, verdict), WIDTHS)
        if options.spread:
            for column, values in figures.items():
                low, high = (v / UNITS[line.unit] for v in (min(values), max(values)))
                print(f"    {column}: {low:.2f} to {high:.2f}")
        verdicts.append(verdict)
    return 2 if "?" in verdicts else 1 if "MISS" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
