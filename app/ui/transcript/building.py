"""Brings rows to life where they are needed: a step of one row in each turn of the event loop."""

import time
from collections.abc import Callable, Collection

from PySide6.QtCore import QObject, QTimer

from app.ui.transcript.column import Column
from app.ui.transcript.living import MAX_ROWS, MAX_UNITS, Living
from app.ui.transcript.scrolling import Scrolling


class Building:
    """Knows which rows should be alive, and does what is still to be done for them, nearest first."""

    def __init__(
        self,
        column: Column,
        live: Living,
        scroll: Scrolling,
        height: Callable[[], int],
        improve: Callable[[int], None],
        parent: QObject,
    ) -> None:
        """Wait for the first `fill`.

        Args:
            column: Where rows are.
            live: Those that are alive.
            scroll: Where the visible part begins.
            height: Returns that of the visible part.
            improve: Brings the row with this id a step further, without moving what is being read.
            parent: Owns the timer.
        """
        self._column, self._live, self._scroll = column, live, scroll
        self._height = height
        self._improve = improve
        self._kept: Collection[int] = ()
        self._turn = QTimer(parent)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self.work)

    @property
    def idle(self) -> bool:
        """Return whether nothing is left to do."""
        return not self._turn.isActive()

    def keep(self, ids: Collection[int]) -> None:
        """Have the rows in `ids`, which may change, stay alive wherever they are."""
        self._kept = ids

    def is_visible(self, id_: int) -> bool:
        """Return whether a row reaches into the visible part."""
        return self._column.is_seen(self._column.places[id_], self._scroll.offset, self._height())

    def fill(self, milliseconds: float) -> None:
        """Build and finish what is visible, as far as the time goes, and plan the rest."""
        deadline = time.monotonic() + milliseconds / 1000
        while time.monotonic() < deadline:
            wanted = (id_ for id_ in self._wanted() if self._live.needs_work(id_) and self.is_visible(id_))
            id_ = next(wanted, None)
            if id_ is None:
                break
            self._improve(id_)
        self._turn.start(0)

    def work(self) -> None:
        """Take one turn: bring the nearest row that needs it a step further, or forget those that are far."""
        wanted = self._wanted()
        id_ = next((each for each in wanted if self._live.needs_work(each)), None)
        if id_ is not None:
            self._improve(id_)
            self._turn.start(0)
        else:
            self._scroll.forget_reading()
        places = self._column.places
        here = self._column.at(self._scroll.offset) if wanted else 0
        self._live.forget(
            {*wanted, *self._kept},
            lambda id_: self._column.units(places[id_]),
            lambda id_: abs(places[id_] - here),
        )

    def _wanted(self) -> list[int]:
        """Return the ids of the rows that should be alive, nearest to the visible part first."""
        wanted: list[int] = []
        units = 0
        near = self._column.near(self._scroll.offset, self._height(), from_below=self._scroll.following)
        for place in near:
            units += self._column.units(place)
            id_ = self._column.id_at(place)
            if (len(wanted) >= MAX_ROWS or units > MAX_UNITS) and not self.is_visible(id_):
                break
            wanted.append(id_)
        return wanted
