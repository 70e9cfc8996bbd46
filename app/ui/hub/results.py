"""The search at the hub: what to look for, and what was found."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import UserError
from app.domain.language import _
from app.services.discovery import Found, Sort
from app.ui.appearance import Appearance
from app.ui.controls import SearchField, announce
from app.ui.hub.desk import HubDesk
from app.ui.hub.words import age_words, parameters_words, popularity_words
from app.ui.inspector.fields import small
from app.ui.menus import rounded
from app.ui.model_rows import Index

T = TypeVar("T")

_PAUSE_MS = 450  # after the last letter, before the hub is asked
_ROOT = QModelIndex()
_B = 1_000_000_000
_ARCHITECTURES = (
    "llama",
    "qwen3",
    "qwen3moe",
    "qwen2",
    "gemma3",
    "gemma4",
    "phi3",
    "deepseek2",
    "gpt-oss",
    "glm4",
)
_LICENSES = ("apache-2.0", "mit", "gemma", "llama3.1", "llama3.2", "llama3.3")


class Choice(QPushButton, Generic[T]):
    """A button that shows one of a few values, and a menu to choose another."""

    def __init__(
        self, appearance: Appearance, name: str, values: Sequence[tuple[T, str]], apply: Callable[[T], None]
    ) -> None:
        super().__init__()
        self._name, self._values, self._apply = name, values, apply
        self.setProperty("kind", "choice")
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron behind the words
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._open)
        self._appearance = appearance
        appearance.changed.connect(self._dress)
        self._dress()

    def show_value(self, value: T) -> None:
        """Show which one is chosen."""
        words = next((words for each, words in self._values if each == value), str(value))
        self.setText(words)
        self.setAccessibleName(f"{self._name}: {words}")

    def _open(self) -> None:
        shown = rounded(QMenu(self))
        shown.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for value, words in self._values:
            action = shown.addAction(words, partial(self._apply, value))
            if words == self.text():
                action.setIcon(self._appearance.icon("check", "accent"))
        shown.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))

    def _dress(self) -> None:
        self.setIcon(self._appearance.icon("chevron-down", "soft", 14))
        self.setIconSize(QSize(14, 14))


class FoundRows(QAbstractListModel):
    """What was found."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Found] = []

    def show_found(self, found: Sequence[Found]) -> None:
        """Show these; more of the same are added at the end."""
        known = len(self._rows)
        if known and list(found[:known]) == self._rows:
            if len(found) > known:
                self.beginInsertRows(QModelIndex(), known, len(found) - 1)
                self._rows += found[known:]
                self.endInsertRows()
            return
        self.beginResetModel()
        self._rows = list(found)
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        found = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return short_name(found.repository)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{short_name(found.repository)}, {', '.join(described(found))}"
            case Qt.ItemDataRole.UserRole:
                return found
        return None


def short_name(repository: str) -> str:
    """Return the name of a model without its maker and without the format, which all of them have."""
    name = repository.partition("/")[2]
    return name[:-5] if name.casefold().endswith("-gguf") else name


def described(found: Found) -> list[str]:
    """Return what to say of a repository, the most important first."""
    facts = [
        found.author,
        *popularity_words(found.downloads, found.likes),
        age_words(found.modified),
        found.license,
    ]
    return [fact for fact in facts if fact]


class FoundDelegate(QStyledItemDelegate):
    """Draws one result in two lines."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance, self._view = appearance, view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the one height of all rows."""
        metrics = QFontMetrics(self._appearance.font(14))
        small = QFontMetrics(self._appearance.font(12.5))
        return QSize(100, 20 + metrics.height() + small.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        look, found = self._appearance, index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = option.rect
        current = index == self._view.currentIndex()
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(rect, 9, 9)
            if self._view.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(look.color("accent"), 2))
                painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 8, 8)
        inner = rect.adjusted(10, 8, -10, -8)
        end = self._paint_end(painter, inner, found)
        painter.setFont(look.font(14, QFont.Weight.DemiBold))
        painter.setPen(look.color("ink"))
        line = QRect(inner.left(), inner.top(), inner.width() - end, painter.fontMetrics().height())
        name = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(look.font(12.5))
        painter.setPen(look.color("soft"))
        below = QRect(inner.left(), line.bottom() + 4, inner.width(), painter.fontMetrics().height())
        facts = described(found)
        while len(facts) > 2 and painter.fontMetrics().horizontalAdvance(" · ".join(facts)) > below.width():
            facts.pop()
        words = painter.fontMetrics().elidedText(
            " · ".join(facts), Qt.TextElideMode.ElideRight, below.width()
        )
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def _paint_end(self, painter: QPainter, inner: QRect, found: Found) -> int:
        """Draw the size of the model and whether it is gated; return the room that takes."""
        look = self._appearance
        painter.setFont(look.font(12.5))
        metrics = painter.fontMetrics()
        words = parameters_words(found.parameters)
        width = metrics.horizontalAdvance(words)
        height = QFontMetrics(look.font(14)).height()
        area = QRect(inner.right() - width, inner.top(), width + 1, height)
        painter.setPen(look.color("soft"))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        if found.gated:
            spot = QRect(area.left() - 22, inner.top() + (height - 15) // 2, 15, 15)
            look.icon("lock", "warn", 15).paint(painter, spot)
            width += 24
        return width + 10


class ResultsPage(QWidget):
    """A field to search in, filters, and the results."""

    def __init__(self, appearance: Appearance, desk: HubDesk) -> None:
        super().__init__()
        self._desk = desk
        self.field = SearchField(
            appearance, _("Search the hub, or paste the address of a model"), _("Search the hub")
        )
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._search)
        self.field.textEdited.connect(lambda text: self._pause.start())
        self.field.installEventFilter(self)
        self._choices = self._make_choices(appearance)
        self.rows = FoundRows()
        self.list = self._make_list(appearance)
        self._state, self._hint = small("", "ink"), small("")
        self.again = QPushButton(_("Try again"))
        self.again.clicked.connect(desk.try_again)
        filters = QHBoxLayout()
        filters.setSpacing(6)
        for choice in self._choices.values():
            filters.addWidget(choice)
        filters.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addLayout(filters)
        column.addWidget(self.list, 1)
        column.addWidget(self._state)
        column.addWidget(self._hint)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(0)
        desk.searched.connect(self._write)
        desk.grown.connect(self._write)
        self.field.setText(desk.query.text)
        self._write()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Search with Return, go to the results with Down."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                if watched is self.list:
                    self._open(self.list.currentIndex())
                else:
                    self._return_pressed()
                return True
            if watched is self.field and event.key() == Qt.Key.Key_Down and self.rows.rowCount():
                self.list.setFocus(Qt.FocusReason.TabFocusReason)
                if not self.list.currentIndex().isValid():
                    self.list.setCurrentIndex(self.rows.index(0))
                return True
            if watched is self.list and event.key() == Qt.Key.Key_Up and self.list.currentIndex().row() <= 0:
                self.field.setFocus(Qt.FocusReason.TabFocusReason)
                return True
        return super().eventFilter(watched, event)

    def _make_choices(self, appearance: Appearance) -> dict[str, Choice[Any]]:
        desk = self._desk
        sorts = [
            (Sort.TRENDING, _("Trending")),
            (Sort.DOWNLOADS, _("Most downloaded")),
            (Sort.LIKES, _("Most liked")),
            (Sort.RECENT, _("Newest")),
        ]
        sizes = [
            ((None, None), _("Any size")),
            ((None, 4 * _B), _("Up to {size}").format(size="4B")),
            ((4 * _B, 9 * _B), "4B – 9B"),
            ((9 * _B, 20 * _B), "9B – 20B"),
            ((20 * _B, 40 * _B), "20B – 40B"),
            ((40 * _B, None), _("Over {size}").format(size="40B")),
        ]
        licenses = [("", _("Any licence")), *((each, each) for each in _LICENSES)]
        kinds = [("", _("Any family")), *((each, each) for each in _ARCHITECTURES)]
        gates = [(None, _("Any terms")), (False, _("No sign-up needed"))]
        return {
            "sort": Choice(appearance, _("Order"), sorts, lambda value: desk.change(sort=value)),
            "size": Choice(
                appearance,
                _("Size of the model"),
                sizes,
                lambda pair: desk.change(min_parameters=pair[0], max_parameters=pair[1]),
            ),
            "license": Choice(appearance, _("Licence"), licenses, lambda value: desk.change(license=value)),
            "architecture": Choice(
                appearance, _("Architecture"), kinds, lambda value: desk.change(architecture=value)
            ),
            "gated": Choice(appearance, _("Terms"), gates, lambda value: desk.change(gated=value)),
        }

    def _make_list(self, appearance: Appearance) -> QListView:
        made = QListView()
        made.setModel(self.rows)
        made.setItemDelegate(FoundDelegate(appearance, made))
        made.setUniformItemSizes(True)
        made.setMouseTracking(True)
        made.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        made.setAccessibleName(_("Models found"))
        made.entered.connect(made.setCurrentIndex)
        made.clicked.connect(self._open)
        made.installEventFilter(self)
        made.verticalScrollBar().valueChanged.connect(self._scrolled)
        appearance.changed.connect(made.doItemsLayout)
        return made

    def _return_pressed(self) -> None:
        self._pause.stop()
        if not self._desk.open_named(self.field.text()):
            self._search()

    def _search(self) -> None:
        self._desk.change(text=self.field.text().strip())

    def _scrolled(self, value: int) -> None:
        bar = self.list.verticalScrollBar()
        if value > bar.maximum() - bar.pageStep():
            self._desk.more()

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self._desk.open(index.data(Qt.ItemDataRole.UserRole).repository)

    def _write(self) -> None:
        desk = self._desk
        query = desk.query
        self._choices["sort"].show_value(query.sort)
        self._choices["size"].show_value((query.min_parameters, query.max_parameters))
        self._choices["license"].show_value(query.license)
        self._choices["architecture"].show_value(query.architecture)
        self._choices["gated"].show_value(query.gated)
        self.rows.show_found(desk.found)
        if self.list.hasFocus() and not desk.found:
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.list.setVisible(bool(desk.found))
        self._tell(desk.error)
        if desk.found and not desk.searching and self.list.verticalScrollBar().maximum() == 0:
            QTimer.singleShot(0, self, lambda: self._scrolled(0))  # there is room for more

    def _tell(self, error: UserError | None) -> None:
        desk = self._desk
        if error:
            words = error.message
        elif desk.searching:
            words = _("Asking the hub for more…") if desk.found else _("Asking the hub…")
        elif not desk.found:
            words = _("Nothing was found. Fewer words or another size may help.")
        else:
            words = ""
        if error and words != self._state.text():
            announce(self, str(error))
        self._state.setText(words)
        self._state.setVisible(bool(words))
        self._hint.setText(error.hint if error else "")
        self._hint.setVisible(bool(error and error.hint))
        self.again.setVisible(error is not None)
