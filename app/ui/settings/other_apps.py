"""Settings: the models of which other apps Fireside may look at."""

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout

from app.domain.language import _
from app.services.adoption import SourceInfo
from app.ui.inspector.fields import small
from app.ui.inspector.switch import SwitchField
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.page import SettingsPage, group, note, show_note


class OtherAppsPage(SettingsPage):
    """The section.

    Attributes:
        switches: By key of each app that is here or allowed.

    Signals:
        changed: Another app is allowed, or one no longer.
    """

    changed = Signal()

    def __init__(self, desk: SettingsDesk, title: str) -> None:
        self._desk = desk
        self.switches: dict[str, SwitchField] = {}
        super().__init__(title)

    def _fill(self) -> Iterator[None]:
        self.column.addWidget(
            small(
                _(
                    "Other apps keep models on this computer, too. Fireside can use them where they lie: "
                    "nothing is copied, changed or deleted. It looks into the folders of an app only while "
                    "you allow it here."
                )
            )
        )
        self._heading = group(_("Fireside may look at the models of"))
        self.column.addWidget(self._heading)
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.column.addLayout(self._list)
        self._missing = note("")
        self.column.addWidget(self._missing)
        self.column.addWidget(
            small(_("What you use already stays on the list of models when you no longer allow an app."))
        )
        self._heading.hide()
        yield

    def refresh(self) -> None:
        """Show which are here, and which are allowed."""
        self._desk.when(self, self._desk.adoption.sources(), self._take)

    def _take(self, sources: list[SourceInfo]) -> None:
        missing = []
        for source in sources:
            if not (source.is_there or source.allowed):
                missing.append(source.name)
                continue
            field = self.switches.get(source.key)
            if field is None:
                gone = "" if source.is_there else _("It has no models here any more.")
                apply = partial(self._allow, source.key)
                field = SwitchField(self._desk.appearance, source.name, apply, gone)
                self.switches[source.key] = field
                self._list.addWidget(field)
            field.show_value(source.allowed)
        self._heading.setVisible(bool(self.switches))
        text = _("Not found on this computer: {apps}.").format(apps=_(", ").join(missing)) if missing else ""
        show_note(self._missing, text)

    def _allow(self, key: str, wanted: bool) -> None:
        def done(_done: None) -> None:
            self.changed.emit()
            self.refresh()

        self._desk.when(self, self._desk.adoption.allow(key, wanted), done)
