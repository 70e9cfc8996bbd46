"""The sheet of the settings: its sections at the left, or above where the window is narrow."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QGridLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from app.domain.language import _
from app.ui.settings.backups import BackupsPage
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.general import GeneralPage
from app.ui.settings.memory import MemoryPage
from app.ui.settings.network import NetworkPage
from app.ui.settings.other_apps import OtherAppsPage
from app.ui.settings.page import SettingsPage
from app.ui.sheet import Sheet

_BESIDE = 660  # pixels of an unscaled card from which on the sections have room at the left


class SettingsSheet(Sheet):
    """The sections; each is built when it is first looked at, and what is changed holds at once.

    Attributes:
        tabs: The buttons of the sections, in their order.

    Signals:
        sources_changed: Another app is allowed, or one no longer.
        log_requested: The list of connections is to be seen.
    """

    sources_changed = Signal()
    log_requested = Signal()

    def __init__(self, desk: SettingsDesk, parent: QWidget) -> None:
        super().__init__(desk.appearance, _("Settings"), parent)
        self._desk = desk
        self._make: tuple[tuple[str, Callable[[str], SettingsPage]], ...] = (
            (_("General"), lambda title: GeneralPage(desk, title)),
            (_("Downloads and network"), self._network),
            (_("Models of other apps"), self._other_apps),
            (_("Memory and disk"), lambda title: MemoryPage(desk, title)),
            (_("Backups"), lambda title: BackupsPage(desk, title)),
        )
        self._pages: dict[int, SettingsPage] = {}
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.show_section)
        self.tabs = [self._tab(number, title) for number, (title, _make) in enumerate(self._make)]
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        self._stack = QStackedWidget()
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(16)
        self._body.addLayout(self._grid)
        self._body.addWidget(self._stack, 1)
        self.column.addLayout(self._body, 1)
        self._beside: bool | None = None
        self.closed.connect(self._leave)
        self._arrange(beside=True)

    def open_section(self, number: int = 0) -> None:
        """Show the sheet at one of its sections."""
        self.show_section(number)
        self.open_card(self.tabs[number])

    def show_section(self, number: int) -> None:
        """Show another section, with what is set now."""
        page = self._pages.get(number)
        if page is None:
            title, make = self._make[number]
            page = self._pages[number] = make(title)
            self._stack.addWidget(page)
        self.tabs[number].setChecked(True)
        self._stack.setCurrentWidget(page)
        if page.complete:
            page.refresh()

    def page(self) -> SettingsPage:
        """Return the section that is shown."""
        return self._pages[self._group.checkedId()]

    def place(self) -> None:
        """Keep the card in the middle, and the sections where there is room for them."""
        super().place()
        self._arrange(beside=self.card.width() >= _BESIDE * self._desk.appearance.scale)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Scroll to where the keyboard has gone."""
        went = super().focusNextPrevChild(forward)
        here = self.window().focusWidget()
        page = self.page()
        if here is not None and page.isAncestorOf(here):
            page.ensureWidgetVisible(here)
        return went

    def _tab(self, number: int, title: str) -> QPushButton:
        made = QPushButton(title)
        made.setProperty("kind", "tab")
        made.setCheckable(True)
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._group.addButton(made, number)
        return made

    def _arrange(self, *, beside: bool) -> None:
        if beside == self._beside:
            return
        self._beside = beside
        direction = QBoxLayout.Direction
        self._body.setDirection(direction.LeftToRight if beside else direction.TopToBottom)
        for number, tab in enumerate(self.tabs):
            row, column = (number, 0) if beside else divmod(number, 2)
            self._grid.addWidget(tab, row, column)
        self._grid.setRowStretch(len(self.tabs), 1 if beside else 0)

    def _network(self, title: str) -> SettingsPage:
        made = NetworkPage(self._desk, title)
        made.log_requested.connect(self.log_requested)
        return made

    def _other_apps(self, title: str) -> SettingsPage:
        made = OtherAppsPage(self._desk, title)
        made.changed.connect(self.sources_changed)
        return made

    def _leave(self) -> None:
        for page in self._pages.values():
            page.leave()
