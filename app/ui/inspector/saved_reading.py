"""What is kept on disk of what models have read, and an end to it."""

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import small
from app.ui.quantities import size_text


class SavedReading(QWidget):
    """How much it is, what it is good for, and a button that deletes it.

    Attributes:
        clear: The button.
        words: How much there is.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        title = label(_("Snapshots of chats"))
        title.setProperty("measure", "field")
        self.words = label("", tone="soft", measure="small")
        self.clear = QPushButton(_("Delete"))
        self.clear.setProperty("kind", "link")
        self.clear.setProperty("measure", "small")
        self.clear.setAccessibleName(_("Delete the snapshots of chats"))
        self.clear.clicked.connect(desk.clear_saved_reading)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(title, 1)
        row.addWidget(self.clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.words)
        column.addWidget(
            small(
                _("Fireside saves what a model has read of each chat, so that returning to a chat is quick.")
            )
        )

    def refresh(self) -> None:
        """Show how much there is."""
        usage = self._desk.usage
        self.setVisible(usage is not None)
        if usage is not None:
            words = _("{count} kept: {used} of {budget}").format(
                count=QLocale().toString(usage.count),
                used=size_text(usage.bytes),
                budget=size_text(usage.budget),
            )
            self.words.setText(words)
            self.clear.setVisible(usage.count > 0)
