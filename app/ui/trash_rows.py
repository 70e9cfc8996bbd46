"""The rows of what was deleted: chats, and messages of chats that are still there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.chat import Chat, title_from
from app.domain.language import _
from app.domain.trash import DeletedMessages, Trash
from app.domain.trash_words import messages_words, rest_words
from app.ui.appearance import Appearance
from app.ui.model_rows import Index

_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a chat, or messages that were deleted together."""

    chat: Chat
    messages: DeletedMessages | None = None

    @property
    def title(self) -> str:
        """Return what it is called."""
        return messages_words(self.messages) if self.messages else self.chat.title or _("New chat")

    @property
    def facts(self) -> str:
        """Return what is said below that: how long it rests, and how the messages begin."""
        deleted_at = self.messages.deleted_at if self.messages else self.chat.deleted_at or 0.0
        begins = title_from(self.messages.messages[0].text) if self.messages else ""
        return " · ".join(part for part in (rest_words(deleted_at), begins) if part)

    @property
    def message_ids(self) -> list[int]:
        """Return the ids of the messages; none for a chat."""
        return [message.id for message in self.messages.messages] if self.messages else []


def entries(trash: Trash) -> list[Entry]:
    """Return what is shown, the last deleted first."""
    made = [Entry(chat) for chat in trash.chats]
    made += [Entry(each.chat, each) for each in trash.messages]
    made.sort(
        key=lambda entry: entry.messages.deleted_at if entry.messages else entry.chat.deleted_at or 0.0,
        reverse=True,
    )
    return made


def trash_of(shown: Sequence[Entry], backups: tuple[str, ...]) -> Trash:
    """Return what some rows stand for, of which these are the backups."""
    return Trash(
        tuple(entry.chat for entry in shown if entry.messages is None),
        tuple(entry.messages for entry in shown if entry.messages is not None),
        backups,
    )


class EntryRows(QAbstractListModel):
    """What was deleted, as rows."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def show_entries(self, rows: list[Entry]) -> None:
        """Show others."""
        if rows != self.entries:
            self.beginResetModel()
            self.entries = rows
            self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        entry = self.entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{entry.title}, {entry.facts}"
        return None


class EntryDelegate(QStyledItemDelegate):
    """Draws one entry in two lines."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance, self._view = appearance, view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the one height of all rows."""
        metrics = QFontMetrics(self._appearance.font(14))
        below = QFontMetrics(self._appearance.font(12.5))
        return QSize(100, 18 + metrics.height() + below.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        look, model = self._appearance, index.model()
        assert isinstance(model, EntryRows)  # noqa: S101 -- no other is shown
        entry = model.entries[index.row()]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("bubble" if chosen else "hover"))
            painter.drawRoundedRect(option.rect, 8, 8)
        if index == self._view.currentIndex() and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), 8, 8)
        inner = option.rect.adjusted(10, 7, -10, -7)
        lines = (
            (look.font(14, QFont.Weight.Medium), "ink", entry.title),
            (look.font(12.5), "soft", entry.facts),
        )
        top = inner.top()
        for font, tone, text in lines:
            painter.setFont(font)
            painter.setPen(look.color(tone))
            metrics = painter.fontMetrics()
            line = QRect(inner.left(), top, inner.width(), metrics.height())
            words = metrics.elidedText(text, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
            top = line.bottom() + 4
        painter.restore()
