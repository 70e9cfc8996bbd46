"""The filters of a search as small chips: those that are set, and the way to others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.domain.chat import Role
from app.domain.language import _
from app.domain.search import Query
from app.ui.appearance import Appearance
from app.ui.menus import rounded
from app.ui.search.desk import SearchDesk

_LONGEST = 22  # letters of a chip


class FilterChips(QWidget):
    """Chips that are pressed away, and one that adds others; they wrap where there is no room."""

    def __init__(self, appearance: Appearance, desk: SearchDesk) -> None:
        super().__init__()
        self._appearance, self._desk = appearance, desk
        self._since_name = ""
        self._add = QPushButton(_("Filter"))
        self._add.setIcon(appearance.icon("plus"))
        self._add.setProperty("kind", "choice")
        self._add.setAccessibleName(_("Add a filter"))
        self._add.setParent(self)
        self._add.clicked.connect(self._open_menu)
        self._chips: list[QPushButton] = []
        desk.asked.connect(self._show_filters)
        appearance.changed.connect(self._show_filters)
        self._show_filters()

    @property
    def words(self) -> list[str]:
        """Return what the chips say that are set."""
        return [chip.text() for chip in self._chips]

    def menu(self) -> QMenu:
        """Return what can be added now."""
        menu = rounded(QMenu(self))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        options, query = self._desk.options, self._desk.query
        said = self._part(menu, _("Said by"))
        said.addAction(_("You"), lambda: self._set(role=Role.USER))
        said.addAction(_("A model"), lambda: self._set(role=Role.ASSISTANT))
        when = self._part(menu, _("When"))
        for name, days in (
            (_("Today"), 0),
            (_("Last 7 days"), 6),
            (_("Last 30 days"), 29),
            (_("Last year"), 364),
        ):
            when.addAction(name, partial(self._set_since, name, days))
        for title, names, field in (
            (_("Model"), options.models, "model"),
            (_("Tag"), options.tags, "tag"),
        ):
            part = self._part(menu, title)
            part.setEnabled(bool(names))
            for each in names:
                part.addAction(each.replace("&", "&&"), partial(self._set, **{field: each}))
        folders = self._part(menu, _("Folder"))
        folders.setEnabled(bool(options.folders))
        for folder in options.folders:
            folders.addAction(folder.name.replace("&", "&&"), partial(self._set, folder_id=folder.id))
        code = menu.addAction(_("With code"), lambda: self._set(code=True))
        code.setEnabled(not query.code)
        return menu

    def hasHeightForWidth(self) -> bool:
        """Say that chips wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the rows of chips."""
        return self._lay_out(width, place=False)

    def sizeHint(self) -> QSize:
        """Return the room for all chips."""
        return QSize(240, self.heightForWidth(self.width() or 240))

    def resizeEvent(self, event: object) -> None:
        """Wrap anew."""
        self._lay_out(self.width(), place=True)

    def _part(self, menu: QMenu, title: str) -> QMenu:
        part = rounded(QMenu(title, menu))
        menu.addMenu(part)
        return part

    def _open_menu(self) -> None:
        self.menu().popup(self._add.mapToGlobal(QPoint(0, self._add.height() + 2)))

    def _set(self, **filters: object) -> None:
        self._desk.set_query(replace(self._desk.query, **filters))  # type: ignore[arg-type]

    def _set_since(self, name: str, days: int) -> None:
        today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        self._since_name = name
        self._set(since=(today - timedelta(days=days)).timestamp())

    def _show_filters(self) -> None:
        focused = any(chip.hasFocus() for chip in self._chips)
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = [self._chip(words, clear) for words, clear in self._filters()]
        if focused:
            self._add.setFocus(Qt.FocusReason.TabFocusReason)
        self._add.setIcon(self._appearance.icon("plus"))
        self.setFixedHeight(self._lay_out(self.width() or 240, place=True))

    def _filters(self) -> list[tuple[str, Callable[[], None]]]:
        query, usual = self._desk.query, Query()
        folder = next((each.name for each in self._desk.options.folders if each.id == query.folder_id), "")
        said = _("You") if query.role is Role.USER else _("A model")
        shown = {
            "role": said if query.role else "",
            "since": self._since_name if query.since is not None else "",
            "model": query.model,
            "folder_id": folder,
            "tag": f"#{query.tag}" if query.tag else "",
            "code": _("With code") if query.code else "",
        }
        return [
            (words, partial(self._set, **{name: getattr(usual, name)}))
            for name, words in shown.items()
            if words
        ]

    def _chip(self, words: str, clear: Callable[[], None]) -> QPushButton:
        short = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
        chip = QPushButton(short.replace("&", "&&"), self)
        chip.setIcon(self._appearance.icon("close"))
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross stands behind the words
        chip.setProperty("kind", "choice")
        chip.setToolTip(_("Remove this filter"))
        chip.setAccessibleName(_("Filter {words}, remove").format(words=words))
        chip.clicked.connect(clear)
        chip.show()
        return chip

    def _lay_out(self, width: int, *, place: bool) -> int:
        x = y = row = 0
        for chip in (*self._chips, self._add):
            size = chip.sizeHint()
            wide = min(size.width(), width)
            if x and x + wide > width:
                x, y, row = 0, y + row + 4, 0
            if place:
                chip.setGeometry(QRect(x, y, wide, size.height()))
            x, row = x + wide + 4, max(row, size.height())
        return y + row
