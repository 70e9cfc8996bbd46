"""Settings: how it looks, which language it speaks, and who names the chats."""

from collections.abc import Iterator

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from app.domain.language import _
from app.ui.appearance import LARGEST_ZOOM, SMALLEST_ZOOM, ZOOM_STEP, Scheme
from app.ui.controls import announce, label
from app.ui.inspector.fields import Field
from app.ui.inspector.segments import Segments
from app.ui.inspector.switch import SwitchField
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.page import SettingsPage

LANGUAGES = (("en", "English"), ("zh_CN", "简体中文"))
"""What can be chosen: the name of each catalogue, and of the language in itself."""


class TextSize(Field):
    """How large all text is, with a way to make it larger and smaller.

    Attributes:
        smaller: To press.
        larger: To press.
    """

    def __init__(self, desk: SettingsDesk) -> None:
        super().__init__()
        self._desk = desk
        words = label(_("Text size"), measure="field")
        self.smaller, self.larger = QPushButton("A −"), QPushButton("A +")
        self.smaller.setAccessibleName(_("Smaller text"))
        self.larger.setAccessibleName(_("Larger text"))
        self._now = label("", measure="field")
        self._usual = QPushButton(_("Normal text size"))
        self._usual.setProperty("kind", "link")
        self.smaller.clicked.connect(lambda: self._set(desk.appearance.zoom / ZOOM_STEP))
        self.larger.clicked.connect(lambda: self._set(desk.appearance.zoom * ZOOM_STEP))
        self._usual.clicked.connect(self._reset)
        self.column.setSpacing(4)
        self.column.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (self.smaller, self._now, self.larger, self._usual):
            row.addWidget(widget)
        row.addStretch(1)
        self.column.addLayout(row)
        self.close_column()
        desk.appearance.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the size there is."""
        zoom = self._desk.appearance.zoom
        self._now.setText(f"{QLocale().toString(round(zoom * 100))} %")
        self._usual.setVisible(round(zoom, 3) != 1)
        self.smaller.setEnabled(zoom > SMALLEST_ZOOM)
        self.larger.setEnabled(zoom < LARGEST_ZOOM)

    def _reset(self) -> None:
        self.larger.setFocus()  # the button goes
        self._set(1.0)

    def _set(self, zoom: float) -> None:
        self._desk.appearance.set_zoom(zoom)
        self._desk.memory.keep_zoom(self._desk.appearance.zoom)
        announce(self, self._now.text())


class GeneralPage(SettingsPage):
    """The section.

    Attributes:
        scheme: Light or dark.
        text_size: Of all text.
        language: From the next start on.
        names: Whether the model names chats.
    """

    def __init__(self, desk: SettingsDesk, title: str) -> None:
        self._desk = desk
        super().__init__(title)

    def _fill(self) -> Iterator[None]:
        desk = self._desk
        self.scheme: Segments[Scheme] = Segments(_("Appearance"), self._set_scheme, title=True)
        # Translators: light or dark as the computer is.
        system = _("As the system")
        self.scheme.offer(((Scheme.SYSTEM, system), (Scheme.LIGHT, _("Light")), (Scheme.DARK, _("Dark"))))
        self.text_size = TextSize(desk)
        yield
        meaning = _("Fireside speaks it from its next start on.")
        self.language: Segments[str] = Segments(
            _("Language"), self._set_language, title=True, meaning=meaning
        )
        self.language.offer((("", system), *LANGUAGES))
        self.names = SwitchField(
            desk.appearance,
            _("Name chats by themselves"),
            self._set_names,
            _("After its first answer, the model gives a chat a short title. Nothing leaves this computer."),
        )
        for field in (self.scheme, self.text_size, self.language, self.names):
            self.column.addWidget(field)

    def refresh(self) -> None:
        """Show what is set now."""
        desk = self._desk
        self.scheme.show_value(desk.appearance.scheme)
        known = {code for code, _name in LANGUAGES}
        self.language.show_value(desk.memory.language if desk.memory.language in known else "")
        self.text_size.refresh()
        desk.when(self, desk.preferences.name_chats(), self.names.show_value)

    def _set_scheme(self, scheme: Scheme) -> None:
        self._desk.appearance.set_scheme(scheme)
        self._desk.memory.keep_scheme(scheme)

    def _set_language(self, code: str) -> None:
        self._desk.memory.keep_language(code)

    def _set_names(self, wanted: bool) -> None:
        self._desk.when(self, self._desk.preferences.set_name_chats(wanted), lambda done: None)
