"""The list of every connection that Fireside has made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shiboken6
from PySide6.QtCore import QAbstractListModel, QLocale, QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.domain.contact_words import is_trouble, outcome_words, purpose_words
from app.domain.language import _, plural
from app.services.contacts import Contact, Contacts, Purpose
from app.ui.appearance import Appearance
from app.ui.inspector.fields import small
from app.ui.model_rows import Index
from app.ui.post import Poster
from app.ui.quantities import size_text, time_text
from app.ui.sheet import Sheet

_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Entry:
    """Contacts with one host for one purpose, within a minute and with the same end.

    Attributes:
        began: Of the last one, in local time.
        count: How many there were.
        received: Bytes of them all.
    """

    host: str
    purpose: Purpose
    began: datetime
    outcome: str
    count: int
    received: int

    @property
    def facts(self) -> tuple[str, ...]:
        """Return what to say of it below its purpose, the most important first."""
        many = plural("{count} request", "{count} requests", self.count)
        facts = (
            self.host,
            outcome_words(self.outcome),
            size_text(self.received) if self.received else "",
            many.format(count=QLocale().toString(self.count)) if self.count > 1 else "",
        )
        return tuple(fact for fact in facts if fact)


def entries(contacts: Sequence[Contact]) -> list[Entry]:
    """Return what is shown of contacts, the newest first."""
    made: dict[tuple[Any, ...], Entry] = {}
    for each in contacts:
        began = each.began.astimezone()
        minute = began.replace(second=0, microsecond=0)
        key = (minute, each.host, each.purpose, each.outcome)
        before = made.pop(key, None)  # the last one gives the place
        made[key] = Entry(
            each.host,
            each.purpose,
            began,
            each.outcome,
            1 + (before.count if before else 0),
            each.received + (before.received if before else 0),
        )
    return list(reversed(made.values()))


class EntryRows(QAbstractListModel):
    """The entries."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Entry] = []

    def show_entries(self, rows: list[Entry]) -> None:
        """Show others."""
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        entry = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return purpose_words(entry.purpose)
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join((purpose_words(entry.purpose), time_text(entry.began), *entry.facts))
            case Qt.ItemDataRole.UserRole:
                return entry
        return None


class EntryDelegate(QStyledItemDelegate):
    """Draws one entry in two lines: what for and when; whom, how it ended and how much came."""

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
        look = self._appearance
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index == self._view.currentIndex() and self._view.hasFocus():
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), 8, 8)
        inner = option.rect.adjusted(10, 7, -10, -7)
        painter.setFont(look.font(12.5))
        when = time_text(entry.began) if entry.outcome else _("now")
        width = painter.fontMetrics().horizontalAdvance(when)
        painter.setPen(look.color("soft"))
        right, middle = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignVCenter
        height = QFontMetrics(look.font(14)).height()
        painter.drawText(QRect(inner.right() - width, inner.top(), width + 1, height), right | middle, when)
        painter.setFont(look.font(14, QFont.Weight.Medium))
        painter.setPen(look.color("ink"))
        line = QRect(inner.left(), inner.top(), inner.width() - width - 12, height)
        _write(painter, line, [index.data()])
        painter.setFont(look.font(12.5))
        painter.setPen(look.color("warn" if is_trouble(entry.outcome) else "soft"))
        below = QRect(inner.left(), line.bottom() + 4, inner.width(), painter.fontMetrics().height())
        _write(painter, below, list(entry.facts))
        painter.restore()


class NetworkSheet(Sheet):
    """Every connection, the newest first; it follows what is being asked.

    Attributes:
        rows: What is listed.
        list: Shows them.
    """

    def __init__(self, appearance: Appearance, poster: Poster, contacts: Contacts, parent: QWidget) -> None:
        super().__init__(appearance, _("Network"), parent)
        self._contacts = contacts
        self._earlier: list[Contact] = []
        self.rows = EntryRows()
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setItemDelegate(EntryDelegate(appearance, self.list))
        self.list.setAccessibleName(_("Connections"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        appearance.changed.connect(self.list.doItemsLayout)
        self.column.addWidget(
            small(
                _(
                    "Every connection that Fireside has made. It makes one only when you look for models or "
                    "fetch them; your chats are never sent. What you searched for and the names of models "
                    "are not listed."
                )
            )
        )
        self._none = small("")
        self.column.addWidget(self._none)
        self.column.addWidget(self.list, 1)
        self.refresh()
        poster.when_done(contacts.earlier(), self._take)

    def open_list(self) -> None:
        """Show it."""
        self.open_card(self.list)

    def refresh(self) -> None:
        """Show what has been asked since."""
        here = self._contacts.known()
        self.rows.show_entries(entries([*self._earlier, *here]))
        words = "" if here else _("None since Fireside was started.")
        if not (here or self._earlier):
            words = _("There has been none yet.")
        self._none.setText(words)
        self._none.setVisible(bool(words))

    def _take(self, earlier: list[Contact]) -> None:
        if shiboken6.isValid(self):
            self._earlier = earlier
            self.refresh()


def _write(painter: QPainter, line: QRect, facts: list[str]) -> None:
    """Write what there is room for, leaving out the last first."""
    metrics = painter.fontMetrics()
    while len(facts) > 2 and metrics.horizontalAdvance(" · ".join(facts)) > line.width():
        facts.pop()
    words = metrics.elidedText(" · ".join(facts), Qt.TextElideMode.ElideRight, line.width())
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
