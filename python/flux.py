"""What a program, or its test, asks of the clock of its session: flux.h for Python.

One file, to be copied or put into PYTHONPATH. Without a session of flux-launch nothing happens, as each function says. Times
are integers of nanoseconds, time-outs seconds.
"""

import ctypes
import errno
import os
import time

__all__ = ["active", "now", "real_now", "hold", "Hold", "at_rest"]

_libraries = ctypes.CDLL(None, use_errno=True)


def _function(name, result, *arguments):
    function = getattr(_libraries, name, None)
    if function is not None:
        function.restype, function.argtypes = result, arguments
    return function


_active = _function("flux_active", ctypes.c_int)
_now = _function("flux_now", ctypes.c_uint64)
_real_now = _function("flux_real_now", ctypes.c_uint64)
_hold = _function("flux_hold", ctypes.c_int, ctypes.c_char_p)
_release = _function("flux_release", ctypes.c_int, ctypes.c_int)
_at_rest = _function("flux_at_rest", ctypes.c_int, ctypes.c_int)


def _failed():
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def active():
    """Is this program in a session?"""
    return bool(_active and _active())


def now():
    """The session's CLOCK_MONOTONIC; without a session the machine's."""
    return _now() if _now else time.monotonic_ns()


def real_now():
    """The machine's CLOCK_MONOTONIC, whatever the session's says."""
    return _real_now() if _real_now else time.monotonic_ns()


class Hold:
    """A hold of the clock: it does not jump until release(), the end of a with block, or of the process."""

    def __init__(self, name):
        self.name = name
        self._descriptor = -1
        if active():
            self._descriptor = _hold(os.fsencode(name))
            if self._descriptor < 0:
                raise _failed()

    def release(self):
        """Ends the hold. A second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0 and _release(descriptor) != 0:
            raise _failed()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()


def hold(name):
    """Holds the clock: with flux.hold("a service outside"): ... Without a session nothing happens."""
    return Hold(name)


def at_rest(timeout=None):
    """Waits until all other threads of the session are blocked, and no time passes.

    TimeoutError after so many real seconds. Without a session it fails with OSError (ENOSYS): nobody knows.
    """
    if not active():
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    while _at_rest(-1 if timeout is None else max(0, int(timeout * 1000))) != 0:
        failed = _failed()
        if not isinstance(failed, InterruptedError):
            raise failed
