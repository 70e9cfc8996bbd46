"""Opens the sheets of the settings and of the network, and keeps the mark in the sidebar true."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.services.contacts import Contacts
from app.ui.network_sheet import NetworkSheet
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.sheet import SettingsSheet
from app.ui.sidebar.offline_mark import OfflineMark


class SettingsOpener(QObject):
    """One sheet of each kind at most lies over the window.

    Signals:
        sources_changed: Another app is allowed, or one no longer.
    """

    sources_changed = Signal()

    def __init__(self, desk: SettingsDesk, contacts: Contacts, mark: OfflineMark, over: QWidget) -> None:
        super().__init__(over)
        self._desk, self._contacts, self._mark, self._over = desk, contacts, mark, over
        mark.clicked.connect(self.open_network)

    def open_settings(self) -> None:
        """Show the settings."""
        if not self._over.findChildren(SettingsSheet):
            sheet = SettingsSheet(self._desk, self._over)
            sheet.sources_changed.connect(self.sources_changed)
            sheet.log_requested.connect(self.open_network)
            sheet.open_section()

    def open_network(self) -> None:
        """Show what was asked over the network."""
        if not self._over.findChildren(NetworkSheet):
            sheet = NetworkSheet(self._desk.appearance, self._desk.poster, self._contacts, self._over)
            sheet.open_list()

    def take_contacts(self) -> None:
        """Show what has been asked since, or has ended."""
        known = self._contacts.known()
        self._mark.show_last(known[-1] if known else None)
        for sheet in self._over.findChildren(NetworkSheet):
            sheet.refresh()
