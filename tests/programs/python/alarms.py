"""Python programs that are driven by SIGALRM: alarms.py CASE."""

import faulthandler
import signal
import sys
import time


class Alarm(Exception):
    pass


def on_alarm(*_):
    raise Alarm


def alarm():
    """An alarm ends a sleep, and one that is stopped does not."""
    signal.signal(signal.SIGALRM, on_alarm)
    began = time.monotonic()
    signal.alarm(60)
    try:
        time.sleep(1000)
    except Alarm:
        print("alarm after", int(time.monotonic() - began))
    print("left of an alarm:", signal.alarm(100), signal.alarm(0))
    time.sleep(200)
    print("slept on", int(time.monotonic() - began))


def ticks():
    """A tick every 10 ms for so many seconds. The clock is the same as the ticks' in both clock modes."""
    seconds, ticks = int(sys.argv[2]), 0

    def tick(*_):
        nonlocal ticks
        ticks += 1

    signal.signal(signal.SIGALRM, tick)
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while time.monotonic() - began < seconds:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    passed = time.monotonic() - began
    # A tick that comes while the one before is being handled is one with it.
    print("as long", seconds <= passed < seconds + 20, "ticks", seconds * 84 < ticks <= passed * 100 + 1)


def dump():
    """The C thread of faulthandler ends the program after a minute."""
    faulthandler.dump_traceback_later(60, exit=True, file=sys.stdout)
    time.sleep(1000)


def dump_cancelled():
    faulthandler.dump_traceback_later(60, exit=True, file=sys.stdout)
    time.sleep(30)
    faulthandler.cancel_dump_traceback_later()
    time.sleep(1000)
    print("cancelled")


{f.__name__: f for f in (alarm, ticks, dump, dump_cancelled)}[sys.argv[1]]()
