#!/usr/bin/env python3
"""CPython's own tests of everything that waits: each that passes natively passes under flux-launch.

    tests/conformance/python.py [MODULE ...] [--python PYTHON] [--clock=frozen] [--tries N]

PYTHON (/usr/bin/python3.11) must have its package `test`; Debian's is libpython3.11-testsuite. Prints a table of both wall
times, and ends with 1 if a test passes natively and at no try under flux-launch."""

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


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("modules", nargs="*", default=MODULES)
    options.add_argument("--python", default="/usr/bin/python3.11")
    options.add_argument("--clock", default="elapsed")
    options.add_argument("--tries", type=int, default=3)
    options = options.parse_args()
    flux = [LAUNCHER, f"--clock={options.clock}", "--"]
    failed, total = [], [0.0, 0.0]
    print("| module | tests | natively | under flux-launch |\n| --- | --- | --- | --- |", flush=True)
    for module in options.modules:
        native, native_seconds, _ = run([], options.python, module)
        ours, seconds, text = run(flux, options.python, module)
        print(f"| `{module}` | {len(good(native))} | {native_seconds:.1f} s | {seconds:.1f} s |", flush=True)
        total = [total[0] + native_seconds, total[1] + seconds]
        missing = good(native) - good(ours)
        for n in range(2, options.tries + 1):
            # One by one, or all together if the whole module has come to nothing.
            named = sorted(missing) if ours else []
            if not missing:
                break
            again, _, text = run(flux, options.python, module, named)
            passed = missing & good(again)
            for name in sorted(passed):
                print(f"  passed at try {n}: {name}", flush=True)
            missing -= passed
            ours = ours or again
        for name in sorted(missing):
            if name in EXCEPTIONS:
                print(f"  as expected: {name}: {EXCEPTIONS[name]}", flush=True)
            else:
                failed.append(name)
                print(f"  FAILED: {name}", flush=True)
        if missing - EXCEPTIONS.keys():
            print(text[-4000:], file=sys.stderr)
    print(f"| all | | {total[0]:.1f} s | {total[1]:.1f} s |")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
