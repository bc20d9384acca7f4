"""Waiting for other processes from Python: processes.py CASE UNIT SLACK."""

import multiprocessing
import queue
import subprocess
import time

from units import UNIT, Watch, run


def subprocess_run():
    watch = Watch()
    subprocess.run(["sleep", str(UNIT)], check=True)
    watch.expect("run", 1)

    watch.restart()
    try:
        subprocess.run(["sleep", str(9 * UNIT)], capture_output=True, timeout=2 * UNIT)
    except subprocess.TimeoutExpired:
        watch.expect("communicate timed out", 2)

    watch.restart()
    child = subprocess.Popen(["sleep", str(UNIT)], stdout=subprocess.PIPE)
    end_of_file = child.stdout.read()
    watch.expect(f"read {end_of_file}", 1)
    child.wait()

    before = time.time()
    date = int(subprocess.check_output(["date", "+%s"]))
    after = time.time()
    print("the child's date lies between:", int(before) <= date <= after)


def subprocess_wait():
    # Popen.wait(timeout) polls: it naps 50 ms at a time, so this is a great many short waits.
    child = subprocess.Popen(["sleep", str(9 * UNIT)])
    watch = Watch()
    try:
        child.wait(timeout=UNIT)
    except subprocess.TimeoutExpired:
        watch.expect("wait timed out", 1)
    child.terminate()
    print("terminated:", child.wait())


def nap(units):
    time.sleep(units * UNIT)
    return units


def answer_later(started, go, channel, event):
    started.release()
    go.wait()
    time.sleep(2 * UNIT)
    channel.put("item")
    time.sleep(UNIT)
    event.set()


def process():
    watch = Watch()
    child = multiprocessing.Process(target=nap, args=(3,))
    child.start()
    child.join(UNIT)
    watch.expect(f"join timed out {child.exitcode}", 1)
    child.join()
    watch.expect(f"joined {child.exitcode}", 3)


def pool():
    watch = Watch()
    with multiprocessing.Pool(3) as workers:
        naps = workers.map(nap, [1, 1, 1, 2, 2, 2], chunksize=1)
        watch.expect(f"naps {naps}", 3)
        watch.restart()
        result = workers.apply_async(nap, (3,))
        try:
            result.get(timeout=UNIT)
        except multiprocessing.TimeoutError:
            watch.expect("result timed out", 1)
        answer = result.get()
        watch.expect(f"result {answer}", 3)


def shared(context):
    channel = context.Queue()
    watch = Watch()
    try:
        channel.get(timeout=UNIT)
    except queue.Empty:
        watch.expect("queue empty", 1)

    # A spawned child imports this program afresh. That is work, not waiting, so it is over before the
    # watch starts.
    started, go, event = context.Semaphore(0), context.Event(), context.Event()
    child = context.Process(target=answer_later, args=(started, go, channel, event))
    child.start()
    started.acquire()
    watch.restart()
    go.set()
    item = channel.get(timeout=9 * UNIT)
    watch.expect(f"queue {item}", 2)
    answer = event.wait(9 * UNIT)
    watch.expect(f"event {answer}", 3)
    child.join()
    event.clear()
    watch.restart()
    answer = event.wait(UNIT)
    watch.expect(f"event timed out {answer}", 1)


if __name__ == "__main__":
    run(
        {
            "subprocess": subprocess_run,
            "subprocess-wait": subprocess_wait,
            "process": process,
            "pool": pool,
            "shared": lambda: shared(multiprocessing.get_context("fork")),
            "shared-spawn": lambda: shared(multiprocessing.get_context("spawn")),
        }
    )
