"""Measures waits in units, so that one expectation fits a native run and a virtual one.

UNIT is the length of one unit in seconds (a fraction natively, an hour or more under flux) and SLACK is
how late a wait may end. A wait that ended in time prints whole units only, which makes the output of the
two runs the same; anything else prints what was measured.
"""

import sys
import time

CASE = sys.argv[1] if len(sys.argv) > 1 else ""
UNIT = float(sys.argv[2]) if len(sys.argv) > 2 else 0.3
SLACK = float(sys.argv[3]) if len(sys.argv) > 3 else 0.25

# Clock reads are not simultaneous: with a clock that runs, a busy machine delays the second one. Natively the wall
# clock may be slewed a little.
AGREEMENT = max(50_000_000, SLACK * 1e9)
# Python's library adds up its deadlines in doubles, so an exact wait may come out a few nanoseconds short.
GRAIN = 1_000


class Watch:
    """A stopwatch on the wall clock and the monotonic clock at once, in nanoseconds."""

    def __init__(self):
        self.restart()

    def restart(self):
        self.wall = time.time_ns()
        self.mono = time.monotonic_ns()

    def expect(self, what, units):
        mono = time.monotonic_ns() - self.mono
        wall = time.time_ns() - self.wall
        late = mono - round(units * UNIT * 1e9)
        if abs(wall - mono) > AGREEMENT:
            verdict = f"wall clock says {wall} ns, monotonic clock {mono} ns"
        elif late < -GRAIN:
            verdict = f"{-late} ns early"
        elif late > SLACK * 1e9:
            verdict = f"{late} ns late"
        else:
            verdict = "in time"
        print(f"{what}: {units} units, {verdict}", flush=True)


def run(cases):
    """Runs the case named on the command line."""
    cases[CASE]()
