"""Settings: how long models stay in memory, and what Fireside keeps on the disk of chats."""

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QPushButton

from app.domain.errors import UserError
from app.domain.language import _, plural
from app.services.snapshots import Usage
from app.ui.controls import announce
from app.ui.inspector.numbers import number_text, read_number
from app.ui.inspector.segments import Segments
from app.ui.inspector.switch import SwitchField
from app.ui.quantities import size_text
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.page import LineField, SettingsPage, group, note, show_note, stacked

_GB = 1_000_000_000
_MINUTES = (5.0, 15.0, 60.0)


class MemoryPage(SettingsPage):
    """The section.

    Attributes:
        idle: After how many minutes a model is unloaded; None for never.
        two: Whether two models stay loaded.
        budget: The room for snapshots.
        clear: Deletes them.
    """

    def __init__(self, desk: SettingsDesk, title: str) -> None:
        self._desk = desk
        self._usage: Usage | None = None
        super().__init__(title)

    def _fill(self) -> Iterator[None]:
        desk = self._desk
        self.idle: Segments[float | None] = Segments(
            _("Unload a model that nobody talks to after"),
            self._set_idle,
            title=True,
            meaning=_("Its memory is free for other apps then. It is loaded again with the next message."),
        )
        self.two = SwitchField(
            desk.appearance,
            _("Keep two models loaded where both fit"),
            self._set_two,
            _("Going back to the model before takes no time then."),
        )
        self.column.addWidget(group(_("Memory")))
        self.column.addWidget(self.idle)
        self.column.addWidget(self.two)
        yield
        self.budget = LineField(
            _("Room for snapshots of chats"),
            self._set_budget,
            unit="GB",
            meaning=_(
                "Fireside keeps what a model has read of a chat on the disk, so that a long one goes on at "
                "once. 0 keeps none. The oldest go first."
            ),
        )
        self._used = note("")
        self.clear = QPushButton(_("Delete the snapshots"))
        self.clear.clicked.connect(self._clear)
        self._cleared = note("")
        self.column.addWidget(group(_("Disk")))
        self.column.addWidget(self.budget)
        self.column.addLayout(stacked(self._used, self.clear, self._cleared))

    def refresh(self) -> None:
        """Show what is set now, and what the snapshots take."""
        kept = self._desk.keeping.value
        others = {kept.idle_minutes} - {None, *_MINUTES}
        times = sorted({*_MINUTES, *(each for each in others if each is not None)})
        self.idle.offer((*((each, _minutes(each)) for each in times), (None, _("never"))))
        self.idle.show_value(kept.idle_minutes)
        self.two.show_value(kept.two)
        newest = self._newest()
        looking = self._desk.snapshots.usage()
        self._desk.when(self, looking, lambda usage: self._take(usage) if newest() else None)

    def _take(self, usage: Usage) -> None:
        self._usage = usage
        self.budget.show_value(number_text(round(usage.budget / _GB, 2)))
        words = plural(
            "{count} snapshot takes {size} now.", "{count} snapshots take {size} now.", usage.count
        )
        count = QLocale().toString(usage.count)
        text = words.format(count=count, size=size_text(usage.bytes)) if usage.count else ""
        show_note(self._used, text or _("There are none now."))
        self.clear.setEnabled(usage.count > 0)
        self.clear.setText(
            _("Delete the snapshots: frees {size}").format(size=size_text(usage.bytes))
            if usage.count
            else _("Delete the snapshots")
        )

    def _set_idle(self, minutes: float | None) -> None:
        keeping = self._desk.keeping
        self._desk.when(self, keeping.set(replace(keeping.value, idle_minutes=minutes)), lambda done: None)

    def _set_two(self, wanted: bool) -> None:
        keeping = self._desk.keeping
        self._desk.when(self, keeping.set(replace(keeping.value, two=wanted)), lambda done: None)

    def _set_budget(self, text: str) -> None:
        size = round(read_number(text or "0", whole=False) * _GB)
        if size < 0:
            raise UserError(_("Less than nothing is no room."), _("0 keeps no snapshots."))
        newest = self._newest()
        setting = self._desk.snapshots.set_budget(size)
        take = self._take
        self._desk.when(self, setting, lambda usage: take(usage) if newest() else None, self.budget.complain)

    def _clear(self) -> None:
        before = self._usage
        self.clear.setEnabled(False)

        def cleared(left: Usage) -> None:
            self._take(left)
            freed = max(0, before.bytes - left.bytes) if before else 0
            text = _("{size} are free again. The chats are all there.").format(size=size_text(freed))
            if left.count:
                text = _("{size} could not be deleted.").format(size=size_text(left.bytes))
            show_note(self._cleared, text, "bad" if left.count else "good")
            announce(self, text)
            self.budget.line.setFocus()

        self._desk.when(self, self._desk.snapshots.clear(), cleared)


def _minutes(minutes: float) -> str:
    if minutes >= 60 and minutes % 60 == 0:
        hours = int(minutes // 60)
        return plural("{count} hour", "{count} hours", hours).format(count=QLocale().toString(hours))
    count = number_text(int(minutes) if minutes == int(minutes) else minutes)
    return plural("{count} minute", "{count} minutes", int(minutes)).format(count=count)
