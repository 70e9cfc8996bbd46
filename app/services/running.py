"""Something that takes a while, how far it is, and a way to stop it."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Running(Generic[T]):
    """Work on a thread of its own. What it tells may be read from any thread.

    Attributes:
        future: Brings the result; cancelled where it was stopped, with nothing of it left.
        done: How far it is, from 0 to 1.
        count: How many chats that are.
    """

    def __init__(self, executor: Executor, work: "Callable[[Running[T]], T]") -> None:
        """Have `work` done, which calls `advance` often."""
        self.future: Future[T] = Future()
        self.done = 0.0
        self.count = 0
        self._stopped = False
        executor.submit(self._run, work).add_done_callback(self._end)

    def stop(self) -> None:
        """Ask for an end soon."""
        self._stopped = True

    def advance(self, done: float | None = None, count: int | None = None) -> None:
        """Tell how far the work is.

        Raises:
            CancelledError: When it shall end.
        """
        if self._stopped:
            raise CancelledError
        self.done = self.done if done is None else min(done, 1.0)
        self.count = self.count if count is None else count

    def _end(self, submitted: "Future[None]") -> None:
        if submitted.cancelled():  # never begun
            self.future.cancel()

    def _run(self, work: "Callable[[Running[T]], T]") -> None:
        try:
            self.advance()
            result = work(self)
        except CancelledError:
            self.future.cancel()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
