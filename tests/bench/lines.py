"""What is measured: one entry a line of the table, with the bound it is judged by.

A line has a command for each column; the figure of a run is the number the command prints, in ns. A line with two
commands measures how the second compares with the first (`sleepers … 10000` over `sleepers … 10`).

The bounds are those of the project's requirements. A line without one is there to explain another, or to notice when
something gets slower.
"""

import re
from dataclasses import dataclass, field

NATIVE, ELAPSED, FROZEN, IDLE, FAKETIME = "native", "elapsed", "frozen", "idle", "faketime"
UNTRACED = "untraced"  # elapsed with --trace=none; with run.py --trace what elapsed is compared with
FLUX = (ELAPSED, FROZEN)
ALL = (NATIVE, ELAPSED, FROZEN, IDLE, FAKETIME)
STATIC = ("clock_read", "sleep_one")  # also measured statically linked
SHELL = "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done"


@dataclass
class Line:
    key: str
    title: str
    commands: list  # one or two commands
    unit: str = "ns"  # ns, us, ms, MiB, or x for a line of two commands
    columns: tuple = (NATIVE, ELAPSED, FROZEN, FAKETIME)
    native: list = None  # other commands for the native column, where the same would say nothing or take too long
    ratio: dict = field(default_factory=dict)  # column -> most times native
    absolute: dict = field(default_factory=dict)  # column -> most, in the line's unit
    over: dict = field(default_factory=dict)  # column -> most above native, in the line's unit
    one_core: bool = False
    launcher_inside: bool = False  # the launcher is what is measured, not what the program runs under
    kind: str = "time"


def both(limit):
    return {column: limit for column in FLUX}


def placed(key, title, commands, **options):
    """Two lines: everything on one core, and wherever the kernel puts it.

    Waking a thread on another core costs between 2 and 20 us, depending on the machine and on how idle that core is.
    That hides what the tool adds, so a line whose threads wake each other is measured both ways.
    """
    return [Line(key + "-1core", title + ", one core", commands, one_core=True, **options),
            Line(key, title + ", any core", commands, **options)]


def all_lines(programs, quick):
    scale = 5 if quick else 1

    def program(name, *arguments, counts=()):
        return [programs[name], *map(str, arguments), *(str(max(c // scale, 10)) for c in counts)]

    unit, native_unit = 1_000_000_000, 1_000_000
    sem = [program("sem_pair", threads, counts=[3_000_000]) for threads in (1, 2)]
    many = 10_000

    def ring(threads):
        return program("sleepers", "ring", threads, 60_000 // scale if threads < many else 20_000)

    def sleepers(mode, threads):
        return program("sleepers", mode, threads, 60_000 // scale if threads < many else 20_000)

    lines = [
        Line("sleep", "one thread sleeping in a loop, a jump", [program("sleep_one", 1_000_000 // scale, unit)], "us",
             native=[program("sleep_one", 100, native_unit)], columns=(NATIVE, *FLUX), absolute=both(0.3)),
        # Natively: what it costs to wake another thread in turn, the floor of such a jump.
        Line("turn2-1core", "two threads in turn, a jump, one core",
             [program("sleep_two", 200_000 // scale, unit)], "us", native=[ring(2)], columns=(NATIVE, *FLUX),
             absolute=both(6), one_core=True),
        Line("turn2", "two threads in turn, a jump, any core",
             [program("sleep_two", 200_000 // scale, unit)], "us", native=[ring(2)], columns=(NATIVE, *FLUX)),
        Line("monotonic", "clock_gettime(CLOCK_MONOTONIC)", [program("clock_read", "monotonic", counts=[5_000_000])],
             ratio={ELAPSED: 1.3, FROZEN: 0.4}),
        Line("realtime", "clock_gettime(CLOCK_REALTIME)", [program("clock_read", "realtime", counts=[5_000_000])],
             ratio={ELAPSED: 1.3, FROZEN: 0.4}),
        *placed("cond", "condition + mutex ping-pong", [program("cond_pingpong", counts=[30_000])], unit="us",
                columns=ALL, ratio={**both(1.2), IDLE: 1.2}),
        Line("sem1", "sem_post + sem_wait, 1 thread", [sem[0]], columns=ALL, ratio={**both(2), IDLE: 2}),
        Line("sem2", "sem_post + sem_wait, 2 threads", [sem[1]], columns=ALL, ratio={**both(2), IDLE: 2}),
        Line("semflat", "the same, 2 threads over 1", sem, "x", columns=ALL, ratio={**both(1.3), IDLE: 1.3}),
        *placed("tcp", "TCP ping-pong with poll, 2 processes", [program("tcp_pingpong", counts=[10_000])], unit="us",
                ratio=both(1.4)),
        Line("launch", "flux-launch -- true over true", [program("spawn", 30 // min(scale, 2), "fork", "true")], "ms",
             columns=(NATIVE, *FLUX), over=both(3), launcher_inside=True),
        Line("many-1core", "jump: 10000 threads in turn over 10, one core",
             [sleepers("turn", 10), sleepers("turn", many)], "x", native=[ring(10), ring(many)],
             columns=(NATIVE, *FLUX), absolute=both(2), one_core=True),
        Line("many", "jump: 10000 threads in turn over 10, any core",
             [sleepers("turn", 10), sleepers("turn", many)], "x", native=[ring(10), ring(many)],
             columns=(NATIVE, *FLUX), absolute=both(2)),
        Line("beside", "jump: beside 10000 sleepers over 10",
             [program("sleepers", "beside", 10, 200_000 // scale), program("sleepers", "beside", many, 200_000 // scale)],
             "x", columns=FLUX, absolute=both(2)),
        Line("turn10", "jump: 10 threads in turn", [sleepers("turn", 10)], "us", native=[ring(10)],
             columns=(NATIVE, *FLUX), one_core=True),
        Line("turn10000", "jump: 10000 threads in turn", [sleepers("turn", many)], "us", native=[ring(many)],
             columns=(NATIVE, *FLUX), one_core=True),
        Line("memory", "session memory at 10000 threads", [program("sleepers", "memory", many, 1)], "MiB",
             columns=(ELAPSED,), absolute={ELAPSED: 32}, kind="memory"),
        # Natively: ticks so close together that what is measured is the handling, not the waiting.
        Line("tick-timerfd", "a timerfd that ticks, read", [program("ticks", "timerfd", 100_000 // scale, unit)], "us",
             native=[program("ticks", "timerfd", 20_000 // scale, 20_000)], columns=(NATIVE, *FLUX)),
        Line("tick-posix", "a timer of timer_create, sigwaitinfo", [program("ticks", "posix", 100_000 // scale, unit)], "us",
             native=[program("ticks", "posix", 20_000 // scale, 20_000)], columns=(NATIVE, *FLUX)),
        Line("tick-itimer", "setitimer and a handler", [program("ticks", "itimer", 100_000 // scale, unit)], "us",
             native=[program("ticks", "itimer", 20_000 // scale, 20_000)], columns=(NATIVE, *FLUX)),
        Line("armed", "10000 armed timers, each", [program("ticks", "armed", 10_000, unit)], "us",
             native=[program("ticks", "armed", 10_000, 20_000)], columns=(NATIVE, *FLUX)),
        Line("spawn", "fork + exec + exit, x500", [program("spawn", 500 // scale, "fork", "true")], "us",
             ratio=both(1.25)),
        Line("spawn-posix", "posix_spawn + exit, x500", [program("spawn", 500 // scale, "spawn", "true")], "us"),
        Line("spawn-shell", "a shell that starts 100 programs", [program("spawn", 5, "fork", "sh", "-c", SHELL)], "ms",
             columns=(NATIVE, *FLUX)),
        Line("static-read", "clock_gettime, static C", [program("clock_read-static", "monotonic", counts=[5_000_000])],
             columns=(NATIVE, *FLUX), ratio={ELAPSED: 1.2, FROZEN: 0.3}),
        Line("static-sleep", "one static thread sleeping in a loop, a jump",
             [program("sleep_one-static", 50_000 // scale, unit)], "us",
             native=[program("sleep_one-static", 100, native_unit)], columns=(NATIVE, *FLUX), absolute=both(15)),
        Line("visit", "a visit: one thread in sleeps that no hook sees, a jump",
             [program("sleep_one", 10_000 // scale, unit, "unseen")], "us",
             native=[program("sleep_one", 100, native_unit, "unseen")], columns=(NATIVE, *FLUX)),
        Line("pipe", "pipe write + read, data there", [program("pipe_ready", "rw", counts=[300_000])]),
        Line("poll", "poll that finds data", [program("pipe_ready", "poll", counts=[500_000])], columns=ALL,
             ratio={IDLE: 1.1}),
        Line("rest", "busy, idle, busy by a byte in a pipe", [program("rest_trip", counts=[5_000])], "us",
             columns=(NATIVE, IDLE)),
    ]
    if "now" in programs:
        lines.append(Line("go-read", "time.Now, static Go", [program("now", counts=[5_000_000])],
                          columns=(NATIVE, *FLUX), ratio={ELAPSED: 1.2, FROZEN: 0.3}))
    return lines


def traced(lines):
    """The lines of programs that the tracer has nothing to do with: what they cost while it is there, over --trace=none."""
    for line in lines:
        if ELAPSED in line.columns and not {"static", "go", "visit"} & set(line.key.split("-")):
            line.columns, line.native = (UNTRACED, ELAPSED), None
            line.ratio, line.absolute, line.over = {ELAPSED: 1.02}, {}, {}
            yield line


def selected(lines, patterns):
    """Lines whose key contains one of the patterns or matches it as a regular expression."""
    return [line for line in lines if not patterns or any(re.search(p, line.key) for p in patterns)]
