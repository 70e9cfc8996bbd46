"""The LoRA adapters that are laid over the model: which, and how strongly each."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.loading import Adapter
from app.ui.appearance import Appearance
from app.ui.controls import IconButton
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import Field, small
from app.ui.inspector.numbers import NumberLine, number_text, read_number

_STRONGEST = 10.0


class AdapterList(Field):
    """One row for each adapter, and a way to add one.

    Attributes:
        rows: The adapters.
        add: The button that asks for a file.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__()
        self._appearance, self._desk = appearance, desk
        self.rows: list[AdapterRow] = []
        self.column.addWidget(small(_("Small files that change how this model writes.")))
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        self.column.addLayout(self._list)
        self.add = QPushButton(_("Add an adapter…"))
        self.add.setProperty("kind", "link")
        self.add.setProperty("measure", "small")
        self.add.setProperty("flush", True)
        self.add.clicked.connect(self._ask)
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addStretch(1)
        self.column.addLayout(row)
        self.close_column()

    def refresh(self) -> None:
        """Show what is set."""
        adapters = self._desk.choices.adapters
        if adapters == tuple(row.adapter for row in self.rows):
            return
        for row in self.rows:
            self._list.removeWidget(row)
            row.deleteLater()
        self.rows = [AdapterRow(self._appearance, self, adapter) for adapter in adapters]
        for row in self.rows:
            self._list.addWidget(row)

    def add_file(self, path: Path) -> None:
        """Lay the adapter at `path` over the model, if it fits; say what is wrong if it does not."""
        self.complain(None)
        self._desk.check_adapter(path, self._added, self.complain)

    def change(self, old: Adapter, new: Adapter | None) -> None:
        """Set another scale, or take an adapter away."""
        adapters = [new if each == old else each for each in self._desk.choices.adapters]
        self.try_to(lambda: self._desk.set_adapters(tuple(each for each in adapters if each)))

    def _added(self, path: Path) -> None:
        adapters = self._desk.choices.adapters
        if any(each.path == path for each in adapters):
            self.complain(UserError(_("“{file}” is already on the list.").format(file=path.name)))
        else:
            self.try_to(lambda: self._desk.set_adapters((*adapters, Adapter(path))))

    def _ask(self) -> None:
        dialog = QFileDialog(self.window(), _("Add an adapter"), "", _("LoRA adapters (*.gguf)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.add_file(Path(name)))
        dialog.open()


class AdapterRow(QWidget):
    """The name of the file, its strength, and a cross.

    Attributes:
        adapter: What it shows.
        line: The strength.
        remove: Takes it away.
    """

    def __init__(self, appearance: Appearance, owner: AdapterList, adapter: Adapter) -> None:
        super().__init__()
        self._owner, self.adapter = owner, adapter
        name = adapter.path.name
        self._words = QLabel()
        self._words.setProperty("measure", "small")
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setToolTip(str(adapter.path))
        self._words.setMinimumWidth(40)
        self.line = NumberLine(_("Strength of {name}").format(name=name))
        self.line.setText(number_text(adapter.scale))
        self.line.editingFinished.connect(self._commit)
        self.line.stepped.connect(self._step)
        self.line.setFixedWidth(64)
        self.remove = IconButton(appearance, "close", _("Remove {name}").format(name=name), self)
        self.remove.clicked.connect(lambda: owner.change(self.adapter, None))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._words, 1)
        row.addWidget(self.line)
        row.addWidget(self.remove)
        metrics = QFontMetrics(appearance.font(12.5))
        self._words.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, 170))

    def _commit(self) -> None:
        if self.line.isModified():
            self.line.setModified(False)
            self._owner.try_to(self._apply)

    def _apply(self) -> None:
        scale = read_number(self.line.text(), whole=False)
        if not -_STRONGEST <= scale <= _STRONGEST:
            raise UserError(
                _("{name} must be between {low} and {high}; {value} is not.").format(
                    name=_("The strength"), low=-_STRONGEST, high=_STRONGEST, value=scale
                )
            )
        if scale != self.adapter.scale:
            self._owner.change(self.adapter, replace(self.adapter, scale=scale))

    def _step(self, steps: int) -> None:
        self.line.setText(number_text(round(self.adapter.scale + 0.1 * steps, 3)))
        self.line.setModified(True)
        self._commit()
