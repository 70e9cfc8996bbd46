"""The terminal's event loop: what other threads post runs on the thread that waits."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_TICK = 0.03  # seconds; a wait without end would swallow Ctrl+C on Windows


class Loop:
    """Runs posted calls while the terminal waits for something."""

    def __init__(self) -> None:
        self._posted: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        """Run `call` on the terminal's thread, soon. May be called from any thread."""
        self._posted.put(call)

    def tick(self) -> None:
        """Run what has been posted, waiting a moment for it."""
        try:
            call: Callable[[], None] | None = self._posted.get(timeout=_TICK)
        except Empty:
            return
        while call is not None:
            call()
            call = None if self._posted.empty() else self._posted.get()

    def result(self, future: "Future[T]") -> T:
        """Return what `future` brings, with everything posted before it done."""
        arrived: list[Future[T]] = []
        future.add_done_callback(lambda done: self.post(lambda: arrived.append(done)))
        while not arrived:
            self.tick()
        return future.result()
