"""Keeps what is read where it is, whatever grows or shrinks around it."""

from PySide6.QtWidgets import QScrollBar

from app.ui.transcript.column import Column

ANCHORS = 50
STEP = 26
_OVERLAP = 40
"""Pixels that two pages share."""

Anchor = list[tuple[int, int]]


class Scrolling:
    """The place of the visible part in the column of rows.

    Around every change of heights: ask for an `anchor`, change them, and `settle` on it.

    Attributes:
        following: The end is visible and stays visible.
        settling: The scroll bar is being moved from here, not by a person.
    """

    def __init__(self, bar: QScrollBar, column: Column) -> None:
        """Keep the value and the range of `bar` true to `column`."""
        self._bar, self._column = bar, column
        self._reading: tuple[int, float] | None = None
        """The row at the top of the visible part and the share of it above, until all is laid out anew."""
        self.following = True
        self.settling = False
        bar.setSingleStep(STEP)

    @property
    def offset(self) -> int:
        """Return where the visible part begins."""
        return self._bar.value()

    @property
    def at_end(self) -> bool:
        """Return whether the end is visible."""
        return self.offset >= self._bar.maximum() - 2

    def anchor(self, height: int) -> Anchor:
        """Return rows with where they stand in the visible part: those in it, then those before it."""
        column = self._column
        if self.following or not column.count:
            return []
        top = self.offset
        first, last = column.at(top), column.at(top + height)
        places = [*range(first, last + 1), *range(first - 1, max(first - ANCHORS, 0) - 1, -1)]
        return [(column.id_at(place), column.top(place) - top) for place in places]

    def keep_reading(self, anchor: Anchor) -> None:
        """Stay at the same part of the text while every row takes another height."""
        if anchor and anchor[0][1] < 0 and self._reading is None:
            id_, distance = anchor[0]
            if (place := self._column.places.get(id_)) is not None:
                self._reading = id_, -distance / max(self._column.height(place), 1)

    def forget_reading(self, id_: int | None = None) -> None:
        """No longer keep to a part of a text; with `id_`, only if it is a part of that row."""
        if self._reading is not None and id_ in (None, self._reading[0]):
            self._reading = None

    def settle(self, anchor: Anchor, height: int, foot: int) -> None:
        """Fit the bar to the heights, and put the first row of `anchor` that is left where it was.

        Args:
            anchor: As it was before the heights changed.
            height: Of the visible part.
            foot: Space below the last row.
        """
        self.settling = True
        bar, column = self._bar, self._column
        bar.setPageStep(max(height - _OVERLAP, STEP))
        bar.setRange(0, max(column.total + foot - height, 0))
        if self.following:
            bar.setValue(bar.maximum())
        elif self._reading is not None and (place := column.places.get(self._reading[0])) is not None:
            above = round(self._reading[1] * column.height(place))
            bar.setValue(column.top(place) + above)
        else:
            for id_, distance in anchor:
                if (place := column.places.get(id_)) is not None:
                    bar.setValue(column.top(place) - distance)
                    break
        self.settling = False

    def scrolled(self) -> None:
        """Take note that a person has scrolled; at the end, follow it from now on."""
        self._reading = None
        self.following = self.at_end

    def by(self, distance: int) -> None:
        """Scroll by so many pixels."""
        self._bar.setValue(self._bar.value() + distance)

    def reveal(self, top: int, bottom: int, height: int, margin: int) -> None:
        """Scroll until the part of the view from `top` to `bottom` is visible."""
        if top < 0:
            self.by(top - margin)
        elif bottom > height:
            self.by(bottom - height + margin)
