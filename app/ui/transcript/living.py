"""The rows that are alive: their widgets, and what is still to be done for each."""

from collections.abc import Callable, Collection, Iterator

from PySide6.QtWidgets import QWidget

from app.domain.chat import Role
from app.ui.transcript.answer import Answer
from app.ui.transcript.boundary import Boundary, is_boundary
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.message import MessageWidget, Row
from app.ui.transcript.question import Question
from app.ui.transcript.style import Style

MAX_ROWS = 60
MAX_UNITS = 400_000
"""Characters alive at once, as `Extent` counts them: what 60 MB are enough for."""


class Living:
    """Widgets by message id, each in one of three states: unfinished, stale or done."""

    def __init__(self, viewport: QWidget, highlighter: Highlighter) -> None:
        self._viewport = viewport
        self._highlighter = highlighter
        self._widgets: dict[int, MessageWidget] = {}
        self._stale: set[int] = set()  # laid out for another width
        self._unfinished: set[int] = set()  # not all of the text is written yet
        self._unfolded: set[int] = set()  # taken away while their thought, or the summary, was shown

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._widgets))

    def __contains__(self, id_: int) -> bool:
        return id_ in self._widgets

    def __getitem__(self, id_: int) -> MessageWidget:
        return self._widgets[id_]

    def items(self) -> list[tuple[int, MessageWidget]]:
        """Return ids and widgets."""
        return list(self._widgets.items())

    def warm_up(self) -> None:
        """Import what is slow to import, before the first row needs it."""
        self._highlighter.warm_up()

    def answer(self, id_: int) -> Answer | None:
        """Return the widget of an answer, if it is alive."""
        widget = self._widgets.get(id_)
        return widget if isinstance(widget, Answer) else None

    def add(self, row: Row, style: Style, width: int, *, last: bool) -> MessageWidget:
        """Bring a row to life; its text is written by `write`."""
        kind: type[MessageWidget] = Answer if row.message.role is Role.ASSISTANT else Question
        kind = Boundary if is_boundary(row) else kind
        widget = kind(row, style, self._highlighter, self._viewport)
        widget.last = last
        widget.resize(width, widget.height())
        if kind is not Question:
            widget.lower()  # a question's actions reach over the answer below
        widget.show()
        if isinstance(widget, Answer | Boundary) and row.message.id in self._unfolded:
            widget.unfold()
        self._widgets[row.message.id] = widget
        self._unfinished.add(row.message.id)
        return widget

    def update(self, row: Row, *, last: bool) -> None:
        """Show another state of a row, if it is alive and has changed."""
        id_ = row.message.id
        widget = self._widgets.get(id_)
        if widget is not None and (widget.row != row or widget.last != last):
            widget.show_row(row, last=last)
            self._unfinished.add(id_)

    def restyle(self, id_: int, style: Style) -> None:
        """Have a row drawn in another style."""
        self._widgets[id_].restyle(style)
        self._unfinished.add(id_)

    def widths_changed(self) -> None:
        """Know that every row has to be laid out again."""
        self._stale.update(self._widgets)

    def needs_work(self, id_: int) -> bool:
        """Return whether a row is not alive, not written or not laid out."""
        return id_ not in self._widgets or id_ in self._unfinished or id_ in self._stale

    def write(self, id_: int) -> None:
        """Write the next part of a row's text, if any is left."""
        if id_ in self._unfinished and self._widgets[id_].step():
            self._unfinished.discard(id_)

    def lay_out(self, id_: int, width: int) -> int:
        """Lay a row out and return its height."""
        self._stale.discard(id_)
        return self._widgets[id_].lay_out(width)

    def remove(self, id_: int) -> None:
        """Take a row away."""
        widget = self._widgets.pop(id_)
        self._stale.discard(id_)
        self._unfinished.discard(id_)
        shown = isinstance(widget, Answer | Boundary) and widget.unfolded
        (self._unfolded.add if shown else self._unfolded.discard)(id_)
        widget.blockSignals(True)
        widget.body.blockSignals(True)
        widget.hide()
        widget.deleteLater()

    def forget(
        self, wanted: Collection[int], units: Callable[[int], int], distance: Callable[[int], int]
    ) -> None:
        """Take away rows that nobody wants, the farthest first, until no more are alive than may be."""
        rows, size = len(self._widgets), sum(units(id_) for id_ in self._widgets)
        spare = [id_ for id_ in self._widgets if id_ not in wanted and not self._widgets[id_].pinned()]
        for id_ in sorted(spare, key=distance, reverse=True):
            if rows <= MAX_ROWS and size <= MAX_UNITS:
                return
            rows, size = rows - 1, size - units(id_)
            self.remove(id_)
