#!/usr/bin/env python3
"""CPython's own tests of everything that waits: each that passes natively passes under flux-launch.

    tests/conformance/python.py [MODULE ...] [--python PYTHON] [--clock=elapsed|frozen] [--trace=all] [--tries N]

PYTHON (/usr/bin/python3.11) must have its package `test`; Debian's is libpython3.11-testsuite. Prints a table of the wall
times, natively and by each clock, and ends with 1 if a test passes natively and at no try under flux-launch."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCHER = os.environ.get("FLUX_LAUNCH", ROOT / "target/release/flux-launch")
MODULES = """test_time test_select test_signal test_threading test_asyncio test_subprocess test_socket test_queue test_sched
test_timeout test_selectors test_concurrent_futures test_multiprocessing_spawn""".split()
# Real seconds that a module may take.
PATIENCE = 900

# Tests that are not run on either side, each with its reason.
LEFT_OUT = {
    "*ThreadedVSOCKSocketStreamTest*": "waits for ever natively where the machine's vsock does not reach itself",
}
# Tests that pass natively and are not expected to pass here, each with its reason.
EXCEPTIONS = {}


def run(prefix, python, module, patterns=()):
    """One module, or what of it the patterns name: outcomes by test, real seconds, and the output."""
    with tempfile.TemporaryDirectory() as place:
        report = pathlib.Path(place) / "report.xml"
        command = [*prefix, python, "-m", "test", "-v", "--junit-xml", report, module]
        for pattern in LEFT_OUT:
            command += ["--ignore", pattern]
        for pattern in patterns:
            command += ["--match", pattern]
        start = time.monotonic()
        child = subprocess.Popen(
            command, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            text = child.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 15)
            text = child.communicate()[0] + b"\nLATE"
        seconds = time.monotonic() - start
        outcomes = {}
        if report.exists():
            for case in xml.etree.ElementTree.parse(report).iter("testcase"):
                bad = any(child.tag in ("failure", "error") for child in case)
                name = case.get("name")
                outcomes[name] = "bad" if bad or outcomes.get(name) == "bad" else case.get("result", "run")
        return outcomes, seconds, text.decode(errors="replace")


def good(outcomes):
    return {name for name, outcome in outcomes.items() if outcome != "bad"}


def again(flux, python, module, native, ours, text, tries):
    """The tests that pass natively, did not in the outcomes `ours`, and do not in more tries either."""
    missing = good(native) - good(ours)
    for n in range(2, tries + 1):
        # One by one, or all together if the whole module has come to nothing.
        named = sorted(missing) if ours else []
        if not missing:
            break
        outcomes, _, text = run(flux, python, module, named)
        passed = missing & good(outcomes)
        for name in sorted(passed):
            print(f"  passed at try {n}: {name}", flush=True)
        missing -= passed
        ours = ours or outcomes
    for name in sorted(missing):
        print(f"  as expected: {name}: {EXCEPTIONS[name]}" if name in EXCEPTIONS else f"  FAILED: {name}", flush=True)
    if missing - EXCEPTIONS.keys():
        print(text[-4000:], file=sys.stderr)
    return missing - EXCEPTIONS.keys()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("modules", nargs="*", default=MODULES)
    options.add_argument("--python", default="/usr/bin/python3.11")
    options.add_argument("--clock", action="append", choices=("elapsed", "frozen"))
    options.add_argument("--trace", default="auto")
    options.add_argument("--tries", type=int, default=3)
    options = options.parse_args()
    clocks = options.clock or ["elapsed", "frozen"]
    failed, total = set(), [0.0] * (1 + len(clocks))
    print("| module | tests | natively | " + " | ".join(clocks) + " |\n| --- | --- | ---" + " | ---" * len(clocks) + " |", flush=True)
    for module in options.modules:
        native, seconds, _ = run([], options.python, module)
        spent = [seconds]
        for clock in clocks:
            flux = [LAUNCHER, f"--clock={clock}", f"--trace={options.trace}", "--"]
            ours, seconds, text = run(flux, options.python, module)
            spent.append(seconds)
            failed |= again(flux, options.python, module, native, ours, text, options.tries)
        print(f"| `{module}` | {len(good(native))} | " + " | ".join(f"{s:.1f} s" for s in spent) + " |", flush=True)
        total = [sum(pair) for pair in zip(total, spent)]
    print("| all | | " + " | ".join(f"{s:.1f} s" for s in total) + " |")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
