"""The models as rows for the picker, and how they are drawn."""

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.language import _
from app.domain.model import EngineStatus, Model, Origin
from app.ui.appearance import Appearance
from app.ui.quantities import context_text, size_text

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_PADDING = 10


class ModelRole(IntEnum):
    """What a row answers beside its text."""

    MODEL = Qt.ItemDataRole.UserRole  # the Model, or None for a heading
    CHOSEN = Qt.ItemDataRole.UserRole + 1  # whether the chat answers with it


class ModelRows(QAbstractListModel):
    """The loaded model, then the others on this computer."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[str | Model] = []
        self._chosen: Path | None = None

    def show_models(
        self, models: Sequence[Model], status: EngineStatus, chosen: Path | None, wanted: str
    ) -> None:
        """Write the rows: those of `models` that have all words of `wanted` in them."""
        words = wanted.casefold().split()
        found = [
            model
            for model in models
            if all(
                word in f"{model.name} {model.quantization} {model.path.name}".casefold() for word in words
            )
        ]
        loaded = [model for model in found if status.ready and model.path == status.model]
        others = [model for model in found if model not in loaded]
        self.beginResetModel()
        self._chosen = chosen
        self._rows = []
        for heading, group in ((_("Loaded"), loaded), (_("On this computer"), others)):
            if group:
                self._rows += [heading, *group]
        self.endResetModel()

    def row_of(self, path: Path | None) -> QModelIndex:
        """Return where the model at `path` stands, else the first model, else an invalid index."""
        models = [(row, shown) for row, shown in enumerate(self._rows) if isinstance(shown, Model)]
        for row, shown in models:
            if shown.path == path:
                return self.index(row)
        return self.index(models[0][0]) if models else QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many rows are shown, headings included."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        shown = self._rows[index.row()]
        if isinstance(shown, str):
            return shown if role == Qt.ItemDataRole.DisplayRole else None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return shown.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{shown.name} {shown.quantization}. {describe(shown)}"
            case ModelRole.MODEL:
                return shown
            case ModelRole.CHOSEN:
                return shown.path == self._chosen
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Say that headings are only to be read."""
        if not index.isValid() or isinstance(self._rows[index.row()], str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


def describe(model: Model) -> str:
    """Return the second line of a row: what is wrong, or size, context and origin."""
    if model.problem:
        return model.problem
    parts = [size_text(model.size)]
    if model.context:
        parts.append(_("{size} context").format(size=context_text(model.context)))
    if model.origin is Origin.STARTER:
        parts.append(_("came with Fireside"))
    elif model.origin is Origin.LINKED:
        parts.append(_("in {folder}, used in place").format(folder=model.path.parent.name))
    return " · ".join(parts)


class ModelDelegate(QStyledItemDelegate):
    """Draws headings in one line and models in two."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance = appearance
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a heading, or of a model with all lines of what is wrong with it."""
        scale = self._appearance.scale
        width = self._view.viewport().width()
        model = index.data(ModelRole.MODEL)
        if model is None:
            return QSize(width, round((28 if index.row() == 0 else 38) * max(1.0, scale)))
        return QSize(width, 22 + self._name().height() + self._second(model, width).height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        model = index.data(ModelRole.MODEL)
        if model is None:
            painter.setFont(self._appearance.font(12, QFont.Weight.Medium))
            painter.setPen(self._appearance.color("soft"))
            flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
            painter.drawText(option.rect.adjusted(8, 0, -8, -5), flags, index.data())
        else:
            self._paint_model(painter, option.rect, index, model)
        painter.restore()

    def _paint_model(self, painter: QPainter, rect: QRect, index: Index, model: Model) -> None:
        look = self._appearance
        if index == self._view.currentIndex():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(rect, 9, 9)
        chosen = index.data(ModelRole.CHOSEN)
        inner = rect.adjusted(_PADDING, 9, -_PADDING - (26 if chosen else 0), -9)
        metrics = self._name()
        tag = QFontMetrics(look.font(11.5)).horizontalAdvance(model.quantization) + 14
        room = inner.width() - (tag + 6 if model.quantization else 0)
        name = metrics.elidedText(model.name, Qt.TextElideMode.ElideRight, room)
        painter.setFont(look.font(14, QFont.Weight.DemiBold))
        painter.setPen(look.color("soft" if model.problem else "ink"))
        line = QRect(inner.left(), inner.top(), inner.width(), metrics.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        if model.quantization:
            self._paint_tag(painter, line, metrics.horizontalAdvance(name) + 6, tag, model.quantization)
        painter.setFont(look.font(12.5))
        painter.setPen(look.color("bad" if model.problem else "soft"))
        below = QRect(inner.left(), line.bottom() + 4, inner.width(), inner.bottom() - line.bottom())
        painter.drawText(below, Qt.TextFlag.TextWordWrap, describe(model))
        if chosen:
            spot = QRect(rect.right() - _PADDING - 18, rect.center().y() - 9, 18, 18)
            look.icon("check", "accent", 18).paint(painter, spot)

    def _paint_tag(self, painter: QPainter, line: QRect, left: int, width: int, words: str) -> None:
        look = self._appearance
        box = QRectF(line.left() + left + 0.5, line.top() - 0.5, width - 1, line.height() + 1)
        painter.setPen(QPen(look.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(look.font(11.5))
        painter.setPen(look.color("soft"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _name(self) -> QFontMetrics:
        return QFontMetrics(self._appearance.font(14, QFont.Weight.DemiBold))

    def _second(self, model: Model, width: int) -> QRect:
        room = QRect(0, 0, width - 2 * _PADDING - 26, 1000)
        metrics = QFontMetrics(self._appearance.font(12.5))
        return metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, describe(model))
