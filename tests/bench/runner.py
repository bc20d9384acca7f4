"""Building the C programs and running them, natively and under flux, always with a time limit.

Used by the benchmark and by the stress drivers. A run that exceeds its limit is ended together with everything it
started: each run carries a mark in its environment, so that a process is found again even if it left its group.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FLAGS = ["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
MARK = "FLUX_RUN_MARK"
_runs = 0

# So that a driver that is ended from outside (`timeout`) passes by the clean-up of its run.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


class RunFailed(Exception):
    """A run that did not end by itself, or ended with a status other than the expected one."""


def build(folder, static=()):
    """Compile what is newer than its program: one for each source, one for each subfolder; return {name: path}. Those named
    in `static` also statically linked, as NAME-static; Go's are, where there is Go."""
    folder = Path(folder)
    out = TARGET / "tests" / folder.name
    out.mkdir(parents=True, exist_ok=True)
    sources = {source.stem: [source] for source in folder.glob("*.c")}
    sources.update({sub.name: sorted(sub.glob("*.c")) for sub in folder.iterdir() if any(sub.glob("*.c"))})
    headers = list(folder.rglob("*.h"))
    compiler = [os.environ.get("CC", "cc"), *FLAGS, "-o"]
    programs = {name: (compiler, files) for name, files in sources.items()}
    programs.update({f"{name}-static": ([*compiler[:-1], "-static", "-DBENCH_STATIC", "-o"], sources[name]) for name in static})
    if shutil.which("go"):
        programs.update({source.stem: (["go", "build", "-o"], [source]) for source in folder.glob("*.go")})
    for name, (command, files) in programs.items():
        program = out / name
        if not program.exists() or program.stat().st_mtime <= max(f.stat().st_mtime for f in files + headers):
            subprocess.run([*command, program, *files], check=True, env={**os.environ, "CGO_ENABLED": "0"})
    return {name: str(out / name) for name in programs}


def launcher():
    """The flux-launch to test, or None where it has not been built."""
    path = Path(os.environ.get("FLUX_LAUNCH", TARGET / "release" / "flux-launch"))
    return str(path.resolve()) if path.exists() else None


def under_flux(argv, clock="elapsed", extra=()):
    command = [launcher(), f"--clock={clock}", *extra]
    if "FLUX_LIBPATH" in os.environ:
        command.append(f"--libpath={os.environ['FLUX_LIBPATH']}")
    return [*command, "--", *argv]


def under_idle():
    """The environment that has a program tracked, but not what it starts, by the libidle.so beside flux-launch; None where
    that has not been built. The state file is $LIBIDLE_STATEFILE."""
    library = Path(launcher() or "").with_name("libidle.so")
    if not launcher() or not library.exists():
        return None
    return {"LD_PRELOAD": str(library), "LIBIDLE_STATEFILE": str(TARGET / "tests" / "state"), "LIBIDLE_CHILDREN": "0"}


def on_one_core(argv):
    """The same command, held on the last core this script may use; what it starts inherits that."""
    return ["taskset", "-c", str(max(os.sched_getaffinity(0))), *argv]


def new_mark():
    global _runs
    _runs += 1
    return f"{os.getpid()}-{_runs}"


def marked(mark):
    """Processes that belong to a run and still live (a zombie holds nothing and runs nothing)."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environ = Path("/proc", entry, "environ").read_bytes()
        except OSError:
            continue
        if wanted in environ.split(b"\0"):
            found.append(int(entry))
    return found


def end_marked(mark):
    """SIGKILL what is left of a run, until nothing is; return how many there were."""
    ended = set()
    for _ in range(50):
        left = marked(mark)
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        ended.update(left)
        time.sleep(0.02)
    return len(ended)


def start(argv, mark, env=(), **options):
    environment = {**os.environ, MARK: mark, **dict(env)}
    return subprocess.Popen(argv, env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process, mark, timeout, expect=(0,)):
    """Wait for a started run; return its output. Whatever happens, nothing of it is left afterwards.

    An exit status that is not one of the expected ones is a failure, and so is a process that outlives the run.
    """
    shown = " ".join(Path(a).name if "/" in a else a for a in process.args)
    try:
        out, err = process.communicate(timeout=timeout)
        left = end_marked(mark)
    except subprocess.TimeoutExpired:
        count = end_marked(mark)
        out, err = process.communicate()
        raise RunFailed(f"no end within {timeout} s ({count} processes ended): {shown}\n{out[-500:]}{err[-500:]}")
    except BaseException:  # this script itself is being ended
        end_marked(mark)
        raise
    if process.returncode not in expect:
        raise RunFailed(f"exit status {process.returncode}: {shown}\n{out[-500:]}{err[-500:]}")
    if left:
        raise RunFailed(f"{left} processes left over: {shown}")
    return out


def run(argv, timeout=60, env=(), expect=(0,)):
    mark = new_mark()
    return finish(start(argv, mark, env), mark, timeout, expect)


class BusyCores:
    """Processes that compute all the time, one a core, while the block runs."""

    def __init__(self, wanted):
        self.wanted, self.processes = wanted, []

    def __enter__(self):
        if self.wanted:
            for _ in os.sched_getaffinity(0):
                self.processes.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def print_row(cells, widths):
    first, *rest = cells
    print(first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(rest, widths[1:])), sep="  ")
    sys.stdout.flush()
