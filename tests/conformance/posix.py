#!/usr/bin/env python3
"""The conformance programs of the Open POSIX test suite: each that passes natively passes under flux-launch.

    tests/conformance/posix.py SUITE [FOLDER ...] [--clock=frozen] [--static] [--trace=all] [--jobs N] [--tries N]

SUITE is the folder `open_posix_testsuite` of the Linux Test Project, FOLDERs are folders below its
`conformance/interfaces` (shell patterns; without any, those of FAMILIES). The programs of clock_settime set the machine's
clock when they run natively: they are only run if they are named. Ends with 1 if a program passes natively and
never under flux-launch. With `--static` the programs are statically linked, and so they are traced. A program is given a few tries in either case, for some of them are about luck."""

import argparse
import concurrent.futures
import fnmatch
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCHER = os.environ.get("FLUX_LAUNCH", ROOT / "target/release/flux-launch")
FAMILIES = """aio_* clock clock_g* clock_nanosleep fork fsync kill* lio_listio mq_* nanosleep pthread_* raise sched_* sem_* sig* time timer_*""".split()
# Real seconds that a program may take.
PATIENCE = 60
PASS = 0

# What passes natively and is not expected to pass by a frozen clock, and where programs are traced, each with its reason.
AT_ONCE = "wants a request to be under way when a wait has timed out; by a frozen clock it takes no time"
FROZEN = {
    "aio_suspend-4-1": AT_ONCE,
    "aio_suspend-9-1": AT_ONCE,
    "clock-1-1": "wants a second of processor time before it has seen the clock go on by 15 s; a loop that spins is through sooner",
    "pthread_detach-4-3": "begins again until two seconds have passed, and what it does takes no time by a frozen clock",
    "timer_getoverrun-2-3": "a timer of some nanoseconds: by a frozen clock each expiration is a step of its own",
    "pthread_create-1-6": "wants a spinning thread of real-time priority never to give way; by a frozen clock it naps",
}


TRACED = {
    "pthread_create-1-6": "wants a thread of real-time priority to keep the processor; each stop for the tracer gives it to others",
    "sched_setparam-2-2": "the same",
}


def build(suite, source, out, flags):
    """Compiles a program; None if that does not work, as for those that are about other systems."""
    name = str(source.relative_to(suite / "conformance/interfaces").with_suffix("")).replace("/", "-")
    program = out / name
    command = ["gcc", "-std=gnu99", "-D_GNU_SOURCE", "-w", f"-I{suite}/include", "-o", program, source]
    command += [suite / "lib/common.c", *flags, "-pthread", "-lrt", "-lm"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (name, program) if done.returncode == 0 else None


def attempt(command, folder):
    """The exit status, "late" after PATIENCE, and what was printed."""
    with tempfile.TemporaryDirectory(dir=folder) as place, tempfile.TemporaryFile() as output:
        child = subprocess.Popen(command, cwd=place, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        try:
            status = child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            child.wait()
            status = "late"
        output.seek(0)
        return status, output.read().decode(errors="replace")


def passes(command, folder, tries):
    """How often it was tried until it passed, or 0; real seconds of the last try, and what that printed."""
    for n in range(1, tries + 1):
        start = time.monotonic()
        status, text = attempt(command, folder)
        took = time.monotonic() - start
        if status == PASS:
            return n, took, text
    return 0, took, f"exit status {status}\n{text}"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("suite", type=pathlib.Path)
    options.add_argument("folders", nargs="*", default=FAMILIES)
    options.add_argument("--clock", default="elapsed")
    options.add_argument("--static", action="store_const", const=["-static"], default=[])
    options.add_argument("--trace", default="auto")
    options.add_argument("--jobs", type=int, default=4)
    options.add_argument("--tries", type=int, default=3)
    options = options.parse_args()
    interfaces = options.suite / "conformance/interfaces"
    folders = [f for f in sorted(interfaces.iterdir()) if any(fnmatch.fnmatch(f.name, p) for p in options.folders)]
    sources = [s for folder in folders for s in sorted(folder.rglob("*.c")) if "buildonly" not in s.name]
    exceptions = (FROZEN if options.clock == "frozen" else {}) | (TRACED if options.static else {})
    flux = [LAUNCHER, f"--clock={options.clock}", f"--trace={options.trace}", "--"]

    with tempfile.TemporaryDirectory() as out, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        out = pathlib.Path(out)
        built = [b for b in pool.map(lambda s: build(options.suite, s, out, options.static), sources) if b]

        def both(item):
            name, program = item
            native = passes([program], out, options.tries)
            return name, native, passes([*flux, program], out, options.tries) if native[0] else None

        counts = dict(native=0, same=0, again=0, failed=0, excepted=0)
        seconds = [0.0, 0.0]
        for name, native, ours in pool.map(both, built):
            if ours is None:
                continue
            counts["native"] += 1
            seconds[0] += native[1]
            seconds[1] += ours[1]
            if ours[0]:
                counts["same"] += 1
                if ours[0] > native[0]:
                    counts["again"] += 1
                    print(f"passed at try {ours[0]}, natively at try {native[0]}: {name}", flush=True)
            elif name in exceptions:
                counts["excepted"] += 1
                print(f"as expected: {name}: {exceptions[name]}", flush=True)
            else:
                counts["failed"] += 1
                print(f"FAILED: {name}, after {ours[1]:.1f} s: {ours[2].strip()[-600:]}", flush=True)
    print(
        f"{len(sources)} programs, {len(built)} built, {counts['native']} pass natively ({seconds[0]:.0f} s); of these "
        f"{counts['same']} pass under flux-launch ({seconds[1]:.0f} s), {counts['again']} of them not at the first try; "
        f"{counts['excepted']} exceptions; {counts['failed']} fail"
    )
    return counts["failed"] != 0


if __name__ == "__main__":
    sys.exit(main())
