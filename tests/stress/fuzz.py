#!/usr/bin/env python3
"""Random bytes in the region while programs run: `fuzz.py RUNS [FIRST_SEED]`.

The launcher must neither crash nor hang nor touch what is not its session's. The programs themselves may do anything: what
hangs is killed. All of it runs in a PID namespace of its own (the script makes it), so that nothing outside can be touched
and nothing is left. In there stands a stranger with descriptors open at all likely numbers, which must not be written to,
traced or signalled.
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "target/release/flux-launch"
# Programs that have not ended by then are killed, real seconds.
HUNG = 0.6
# The launcher has to end that long after its programs, real seconds: generous, for a busy machine.
ENDS = 30


def inside():
    """Is this the process in the namespace of its own?"""
    return os.environ.get("FLUX_FUZZ_INSIDE") == "1"


def descendants(root):
    found = [root]
    for pid in found:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                text = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
                found += [int(child) for child in text.split()]
        except OSError:
            pass
    return found[1:]


def kill_all(root):
    for pid in descendants(root):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


class Stranger:
    """Whom nobody may touch."""

    def __init__(self, folder):
        self.file = folder / "stranger"
        with open(self.file, "wb") as file:
            script = (
                "import os,sys,signal,time\n"
                "[os.dup2(3, n) for n in list(range(4, 64)) + list(range(960, 1024))]\n"
                "for s in set(signal.valid_signals()) - {9, 19}:\n"
                "    signal.signal(s, lambda n, f: os.write(3, b'signal %d' % n))\n"
                "print('ready', flush=True)\n"
                "while True: time.sleep(1000)\n"
            )
            os.dup2(file.fileno(), 3) if file.fileno() != 3 else None
            self.process = subprocess.Popen(
                [sys.executable, "-c", script], stdout=subprocess.PIPE, pass_fds=[3], close_fds=True
            )
        self.process.stdout.readline()

    def complaint(self):
        if self.process.poll() is not None:
            return f"the stranger has ended: {self.process.returncode}"
        written = self.file.read_bytes()
        if written:
            return f"the stranger's file: {written[:40]!r}"
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return None if "TracerPid:\t0\n" in status else "the stranger is traced"


def options(seed):
    rng = random.Random(seed)
    return [
        rng.choice(["--clock=elapsed", "--clock=frozen"]),
        rng.choice(["--trace=auto", "--trace=auto", "--trace=all", "--trace=none"]),
        rng.choice(["-v", "-vv"]),
    ]


def run(seed, program):
    """What is wrong; None for nothing."""
    script = f"{program} work & busybox sleep 5000 & sleep 3000 & {program} {seed} 300; wait"
    command = [LAUNCHER, *options(seed), "--", "bash", "-c", script]
    with tempfile.TemporaryFile() as output:
        launcher = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output
        )
        try:
            launcher.wait(HUNG)
        except subprocess.TimeoutExpired:
            pass
        until = time.monotonic() + ENDS
        while launcher.poll() is None and time.monotonic() < until:
            kill_all(launcher.pid)
            time.sleep(0.01)
        hung = launcher.poll() is None
        if hung:
            launcher.kill()
            launcher.wait()
        output.seek(0)
        said = output.read().decode(errors="replace")
    if hung:
        return f"the launcher hangs: {said}"
    if launcher.returncode < 0:
        return f"the launcher died of signal {-launcher.returncode}: {said}"
    if "internal error" in said or "panicked" in said:
        return said
    return None


def main():
    runs = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if not inside():
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *user, "--pid", "--fork", "--mount-proc", "--kill-child"]
        os.environ["FLUX_FUZZ_INSIDE"] = "1"
        os.execvp("unshare", [*command, sys.executable, __file__, *sys.argv[1:]])
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        program = folder / "fuzz"
        source = ROOT / "tests/programs/trust/fuzz.c"
        subprocess.run(["gcc", "-O2", "-pthread", "-o", program, source], check=True)
        stranger = Stranger(folder)
        for seed in range(first, first + runs):
            wrong = run(seed, program) or stranger.complaint()
            if wrong:
                failed += 1
                print(f"seed {seed} {options(seed)}: {wrong}", flush=True)
                if stranger.complaint():
                    stranger.process.kill()
                    stranger = Stranger(folder)
        stranger.process.kill()
    print(f"{runs} runs, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
