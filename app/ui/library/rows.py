"""The list of the models on this computer, three lines each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.language import _
from app.domain.model import Model
from app.ui.appearance import Appearance
from app.ui.downloads.bar import paint_bar
from app.ui.hub.words import parameters_words
from app.ui.library.desk import LibraryDesk
from app.ui.library.words import source_text, trouble, used_text
from app.ui.model_rows import Index
from app.ui.quantities import context_text, fit_part, size_text, speed_here

_ROOT = QModelIndex()
_PADDING, _ABOVE, _GAP = 10, 9, 4


@dataclass(frozen=True, slots=True)
class Line:
    """One model as it is listed.

    Attributes:
        fit: How well it fits, and the token of the colour.
        facts: What its file says.
        learned: What was learned of it here.
        trouble: What is wrong with its file.
        part: How far its check is, from 0 to 1; None without one.
    """

    model: Model
    fit: tuple[str, str]
    facts: tuple[str, ...]
    learned: tuple[str, ...]
    trouble: str
    part: float | None

    @property
    def spoken(self) -> str:
        """Return all of it as words."""
        title = f"{self.model.name} {self.model.quantization}".strip()
        parts = (title, self.fit[0], self.trouble, ", ".join(self.facts), ", ".join(self.learned))
        return ". ".join(part for part in parts if part)


def line_of(desk: LibraryDesk, model: Model) -> Line:
    """Return what is to be said of a model."""
    facts, part = desk.facts(model), desk.progress(model)
    said = [size_text(model.size), parameters_words(model.parameters), model.architecture]
    if model.context:
        said.append(_("{size} context").format(size=context_text(model.context)))
    said.append(model.license)
    learned = [speed_here(facts.use), used_text(facts.use), source_text(model, facts)]
    if part is not None:
        learned.insert(0, _("Checking… {percent} %").format(percent=int(100 * part)))
    return Line(
        model,
        fit_part(facts),
        tuple(each for each in said if each) if model.size else (),
        tuple(each for each in learned if each),
        trouble(model),
        part,
    )


class LibraryRows(QAbstractListModel):
    """The lines."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []

    def show_lines(self, lines: Sequence[Line]) -> bool:
        """Show `lines`; return whether other models stand where these do now."""
        same = [line.model.path for line in lines] == [line.model.path for line in self._lines]
        if same:
            if list(lines) != self._lines:
                self._lines = list(lines)
                self.dataChanged.emit(self.index(0), self.index(len(lines) - 1))
            return False
        self.beginResetModel()
        self._lines = list(lines)
        self.endResetModel()
        return True

    def row_of(self, model: Model | None) -> QModelIndex:
        """Return where a model stands, else the first one, else an invalid index."""
        path = model.path if model else None
        place = next((at for at, line in enumerate(self._lines) if line.model.path == path), 0)
        return self.index(place)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        line = self._lines[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return line.model.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return line.spoken
            case Qt.ItemDataRole.ToolTipRole:
                return line.trouble or str(line.model.path)
            case Qt.ItemDataRole.UserRole:
                return line
        return None


class LibraryDelegate(QStyledItemDelegate):
    """Draws one model: its name and how it fits, what its file says, what was learned of it."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance, self._view = appearance, view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the one height of all rows."""
        small = self._appearance.metrics(12.5).height()
        name = self._appearance.metrics(14, QFont.Weight.DemiBold).height()
        return QSize(100, 2 * _ABOVE + name + 2 * (small + _GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        line: Line = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index == self._view.currentIndex():
            self._paint_current(painter, option.rect)
        inner = option.rect.adjusted(_PADDING, _ABOVE, -_PADDING, -_ABOVE)
        head = QRect(inner.left(), inner.top(), inner.width(), 0)
        head.setHeight(self._appearance.metrics(14, QFont.Weight.DemiBold).height())
        end = self._paint_fit(painter, head, line)
        self._paint_title(painter, head.adjusted(0, 0, -end, 0), line)
        painter.setFont(self._appearance.font(12.5))
        height = painter.fontMetrics().height()
        second = QRect(inner.left(), head.bottom() + 1 + _GAP, inner.width(), height)
        third = second.translated(0, height + _GAP)
        if line.trouble:
            painter.setPen(self._appearance.color("bad" if line.model.problem else "warn"))
            flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
            painter.drawText(second.united(third), flags, line.trouble)
        else:
            self._paint_facts(painter, second, line.facts)
            self._paint_facts(painter, third, line.learned)
        if line.part is not None:
            bar = QRectF(inner.left(), option.rect.bottom() - 5, inner.width(), 3)
            paint_bar(painter, self._appearance, bar, line.part, "accent")
        painter.restore()

    def _paint_current(self, painter: QPainter, rect: QRect) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.color("hover"))
        painter.drawRoundedRect(rect, 9, 9)
        if self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._appearance.color("accent"), 2))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 8, 8)

    def _paint_fit(self, painter: QPainter, head: QRect, line: Line) -> int:
        """Draw how well it fits at the right, and return the room that takes."""
        words, tint = line.fit
        painter.setFont(self._appearance.font(12.5))
        painter.setPen(self._appearance.color(tint))
        painter.drawText(head, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        return painter.fontMetrics().horizontalAdvance(words) + 12 if words else 0

    def _paint_title(self, painter: QPainter, room: QRect, line: Line) -> None:
        look, tag = self._appearance, line.model.quantization
        small = look.metrics(11.5)
        width = small.horizontalAdvance(tag) + 14 if tag else 0
        painter.setFont(look.font(14, QFont.Weight.DemiBold))
        painter.setPen(look.color("soft" if line.model.problem else "ink"))
        left = max(room.width() - width - 6, 40)
        name = painter.fontMetrics().elidedText(line.model.name, Qt.TextElideMode.ElideRight, left)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        if not tag:
            return
        at = room.left() + painter.fontMetrics().horizontalAdvance(name) + 6
        box = QRectF(at + 0.5, room.top() - 0.5, width - 1, room.height() + 1)
        painter.setPen(QPen(look.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(look.font(11.5))
        painter.setPen(look.color("soft"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tag)

    def _paint_facts(self, painter: QPainter, room: QRect, facts: Sequence[str]) -> None:
        metrics, shown = painter.fontMetrics(), list(facts)
        while len(shown) > 2 and metrics.horizontalAdvance(" · ".join(shown)) > room.width():
            shown.pop()
        words = metrics.elidedText(" · ".join(shown), Qt.TextElideMode.ElideRight, room.width())
        painter.setPen(self._appearance.color("soft"))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
