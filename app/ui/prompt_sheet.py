"""What the model read: the exact prompt of an answer, its control tokens tinted."""

from collections.abc import Sequence

from PySide6.QtCore import QLocale
from PySide6.QtGui import QGuiApplication, QTextCharFormat
from PySide6.QtWidgets import QPushButton, QWidget

from app.domain.generation import Rendered
from app.domain.language import _, plural
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.pages_of_text import PagesOfText
from app.ui.sheet import Sheet


class PromptSheet(Sheet):
    """The text, how many tokens it has, and what the chat template could not do."""

    def __init__(
        self, appearance: Appearance, prompt: Rendered, notes: Sequence[str], parent: QWidget
    ) -> None:
        super().__init__(appearance, _("What the model read"), parent)
        self._appearance, self._prompt = appearance, prompt
        for note in notes:
            said = label(note, tone="soft")
            said.setWordWrap(True)
            self.column.addWidget(said)
        self.pages = PagesOfText(appearance, _("What the model read"))
        self.column.addWidget(self.pages, 1)
        count = plural("{count} token", "{count} tokens", prompt.tokens)
        shown = count.format(count=QLocale().toString(prompt.tokens))
        self.foot.addWidget(label(shown, tone="soft", measure="small"), 1)
        self.copy_button = QPushButton(_("Copy all"))
        self.copy_button.clicked.connect(self._copy)
        self.foot.addWidget(self.copy_button)
        appearance.changed.connect(self._write)
        self._write()

    def _write(self) -> None:
        words, control = QTextCharFormat(), QTextCharFormat()
        words.setForeground(self._appearance.color("ink"))
        control.setForeground(self._appearance.color("accent_ink"))
        control.setBackground(self._appearance.color("code"))
        parts = self._prompt.parts
        self.pages.show_parts((text, control if is_control else words) for text, is_control in parts)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("".join(text for text, _control in self._prompt.parts))
        self.copy_button.setText(_("Copied"))
