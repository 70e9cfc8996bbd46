"""Which process is writing a message, so that another one can tell whether it still is."""

import os
from functools import cache

_CLOCK_SECONDS = 2.0  # start times are counted from the boot, whose time moves when the clock is set


@cache
def this_process() -> str:
    """Return the mark of this process: its id and when it was started, as ids come again."""
    import psutil  # takes 30 ms, on the writer's thread

    return f"{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(mark: str | None) -> bool:
    """Return whether the process that left `mark` is still running."""
    import psutil

    number, _separator, started = (mark or "").partition(":")
    try:
        process = psutil.Process(int(number))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - float(started)) < _CLOCK_SECONDS
    except (ValueError, OverflowError, psutil.NoSuchProcess):
        return False
    except psutil.AccessDenied:
        return True
