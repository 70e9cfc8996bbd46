"""Threads for what a service waits for: files, headers, the hub."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

_T = TypeVar("_T")
_P = ParamSpec("_P")


class Threads(ThreadPoolExecutor):
    """A queue of questions, whose answers are Futures.

    A window on its way out may still ask: what is asked after the end of the threads is cancelled, as is
    what still waits then, and nobody is called with it.
    """

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Ask for `fn` to be run."""
        try:
            return super().submit(fn, *args, **kwargs)
        except RuntimeError:  # closed
            unasked: Future[Any] = Future()
            unasked.cancel()
            return unasked
