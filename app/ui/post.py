"""The one way onto the GUI thread."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.domain.errors import UserError

T = TypeVar("T")


class Poster(QObject):
    """Runs callables on the thread that made it, the GUI's, in the order in which they were posted."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._early: list[UserError] = []
        self._present: Callable[[UserError], None] | None = None
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, work: Callable[[], None]) -> None:
        """Run `work` on the GUI thread, later. May be called from any thread."""
        self._posted.emit(work)

    def report(self, error: UserError) -> None:
        """Show an error that no caller waits for. From any thread, also before there is a window."""
        self.post(lambda: self._tell(error))

    def present_with(self, present: Callable[[UserError], None]) -> None:
        """Show errors with `present` from now on, and those at once that came before there was a window."""
        self._present = present
        early, self._early = self._early, []
        for error in early:
            present(error)

    def when_done(
        self,
        future: "Future[T]",
        on_result: Callable[[T], None],
        on_error: Callable[[UserError], None] | None = None,
    ) -> None:
        """Hand the result of `future` to `on_result` on the GUI thread.

        A UserError goes to `on_error`, or to `report` without one. Anything else is a bug and is
        raised on the GUI thread. A cancelled future calls nobody.
        """
        future.add_done_callback(lambda done: self.post(lambda: self._deliver(done, on_result, on_error)))

    def _deliver(
        self,
        future: "Future[T]",
        on_result: Callable[[T], None],
        on_error: Callable[[UserError], None] | None,
    ) -> None:
        if future.cancelled():
            return
        try:
            result = future.result()
        except UserError as error:
            (on_error or self._tell)(error)
        else:
            on_result(result)

    def _tell(self, error: UserError) -> None:
        if self._present is None:
            self._early.append(error)
        else:
            self._present(error)

    @Slot(object)
    def _run(self, work: Callable[[], None]) -> None:
        work()
