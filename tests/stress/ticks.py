#!/usr/bin/env python3
"""A million ticks of each kind of timer, in both modes of the clock: none is lost, none is counted twice, none is early.

    tests/stress/ticks.py [--count N] [--kinds KIND,…]

With a frozen clock each must also be told at its very instant. Exit status 1 on any failure."""

import argparse
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from runner import RunFailed, build, run, under_flux  # noqa: E402

# Those that are behind on purpose are late.
KINDS = {"timerfd": True, "behind": False, "posix": True, "handler": True, "shared": True}
# Generous: a tick takes 10 to 200 us.
SECONDS_EACH = 0.002


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=1_000_000)
    options.add_argument("--kinds", default=",".join(KINDS))
    options = options.parse_args()
    program = build(Path(__file__).parent)["ticks"]
    failed = False
    for kind in options.kinds.split(","):
        for clock in ("elapsed", "frozen"):
            began = time.monotonic()
            try:
                text = run(under_flux([program, kind, str(options.count)], clock), 30 + options.count * SECONDS_EACH)
                figures = re.fullmatch(r"ticks (\d+), virtual (\d+), late (\d+)\n", text)
                late = int(figures[3]) if figures else 0
                fine = figures and (clock == "elapsed" or not KINDS[kind] or late == 0)
            except RunFailed as failure:
                text, fine = str(failure), False
            failed |= not fine
            seconds = time.monotonic() - began
            print(f"{kind:8} {clock:8} {seconds / options.count * 1e6:6.1f} us a tick  {'ok' if fine else text}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
