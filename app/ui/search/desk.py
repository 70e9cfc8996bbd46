"""The search that is on: what is asked for, and the newest answer; older ones are dropped."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.chat import Folder
from app.domain.search import Found, Query
from app.services.history import History
from app.ui.post import Poster

_SOON = 30  # milliseconds without another letter
_AGAIN = 1500  # milliseconds until what was not prepared for searching is looked at again
STEP = 50
"""Messages that are shown at first, and that are added when the end of them is reached."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be filtered by, beside what always can."""

    models: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()
    tags: tuple[str, ...] = ()


class SearchDesk(QObject):
    """Asks the history, off the GUI thread.

    Attributes:
        query: What is looked for.
        found: What was found for it, or for what was looked for just before.
        options: What can be filtered by, as far as it is known.

    Signals:
        asked: The query has changed.
        answered: What was found has changed.
    """

    asked = Signal()
    answered = Signal()

    def __init__(self, poster: Poster, history: History, parent: QObject) -> None:
        super().__init__(parent)
        self._poster, self._history = poster, history
        self._asking: Future[Found] | None = None
        self._number = 0
        self._most = STEP
        self.query = Query()
        self.found = Found()
        self.options = Options()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    @property
    def active(self) -> bool:
        """Return whether something is looked for."""
        return bool(self.query.text.strip())

    @property
    def searching(self) -> bool:
        """Return whether an answer is on its way."""
        return self._timer.isActive() or self._asking is not None

    def set_text(self, text: str) -> None:
        """Look for other words."""
        was = self.active
        self._change(replace(self.query, text=text))
        if self.active and not was:
            self._read_options()

    def set_query(self, query: Query) -> None:
        """Look for the same words with other filters."""
        self._change(query)

    def refresh(self) -> None:
        """Look once more: messages have changed."""
        if self.active:
            self._timer.start(_SOON)

    def find_more(self) -> None:
        """Find older messages, too."""
        if self.found.more and not self.searching:
            self._most += STEP
            self._ask()

    def _change(self, query: Query) -> None:
        if query == self.query:
            return
        self.query, self._most = query, STEP
        self._drop()
        if self.active:
            self._timer.start(_SOON)
        else:
            self.found = Found()
            self.answered.emit()
        self.asked.emit()

    def _drop(self) -> None:
        """Wait no longer for what was asked last."""
        self._number += 1
        self._timer.stop()
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _ask(self) -> None:
        self._drop()
        if not self.active:
            return
        number = self._number
        self._asking = self._history.search.find(self.query, self._most)

        def answered(found: Found) -> None:
            if number == self._number:
                self._asking = None
                self.found = found
                self.answered.emit()
                if found.waiting:
                    self._timer.start(_AGAIN)

        self._poster.when_done(self._asking, answered)

    def _read_options(self) -> None:
        def keep(take: Callable[[Options], Options]) -> None:
            self.options = take(self.options)

        history, when_done = self._history, self._poster.when_done
        when_done(history.search.models(), lambda found: keep(lambda now: replace(now, models=tuple(found))))
        when_done(
            history.organising.folders(), lambda found: keep(lambda now: replace(now, folders=tuple(found)))
        )
        when_done(history.organising.tags(), lambda found: keep(lambda now: replace(now, tags=tuple(found))))
