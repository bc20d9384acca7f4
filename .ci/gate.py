#!/usr/bin/env python3
"""Runs the README's test command and says what failed: `.ci/gate.py COMMAND…`.

A test that fails is run once more by itself. Passing then it is printed as *unsteady*; failing again it ends the run with
status 1, unless .ci/open-failures lists it: those are known, each with its reason, and printed as *open*. An open one
that passes is printed too, so that the list gets shorter. Nothing is skipped.
"""

import re
import subprocess
import sys
from pathlib import Path


def known():
    lines = (Path(__file__).parent / "open-failures").read_text().splitlines()
    rows = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    return {name: reason for name, reason in rows}


def main():
    command = sys.argv[1:]
    binary, failed, passed = None, [], 0
    run = subprocess.Popen(command + ["--no-fail-fast"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           errors="replace")
    for line in run.stdout:
        sys.stdout.write(line)
        if match := re.search(r"Running (?:unittests )?(?:tests/|src/)(\w+)\.rs", line):
            binary = match[1]
        elif re.match(r"test \S+ \.\.\. ok", line):
            passed += 1
        elif match := re.match(r"test (\S+) \.\.\. FAILED", line):
            failed.append((binary, match[1]))
    status = run.wait()
    open_failures, bad = known(), []
    for binary, name in failed:
        key = f"{binary}::{name}"
        again = subprocess.run(["cargo", "test", "-p", "flux-tests", "--test", binary, "--", "--exact", name],
                               capture_output=True, text=True, errors="replace")
        if again.returncode == 0:
            print(f"unsteady: {key} failed beside the others and passes alone")
        elif key in open_failures:
            print(f"open: {key}: {open_failures[key]}")
        else:
            bad.append(key)
            print(f"FAILED twice: {key}\n{again.stdout[-3000:]}")
    if status != 0 and not failed:
        print("the tests could not be built or run")
        return 1
    print(f"{passed} passed, {len(bad)} failed")
    return 1 if bad else 0


sys.exit(main())
