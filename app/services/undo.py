"""Undo and redo of what was done to the history in this run of Fireside."""

from concurrent.futures import Future

from app.domain.undo import Act, Undone
from app.storage.undo import UndoLog


class Undo:
    """The steps a person can take back. `Changed(UNDO)` tells when another one is next."""

    def __init__(self, log: UndoLog) -> None:
        self._log = log

    @property
    def next_undo(self) -> Act | None:
        """Return what `undo` would take back now; None for nothing."""
        return self._log.next_undo

    @property
    def next_redo(self) -> Act | None:
        """Return what `redo` would do again now; None for nothing."""
        return self._log.next_redo

    def undo(self) -> "Future[Undone | None]":
        """Take back the last step, if there is one.

        Fails with a UserError while an answer is being written where messages would change.
        """
        return self._log.undo()

    def redo(self) -> "Future[Undone | None]":
        """Do again what was taken back last, if nothing else was done since."""
        return self._log.redo()
