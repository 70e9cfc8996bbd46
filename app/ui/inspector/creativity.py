"""The temperature as people think of it: a slider from precise to free."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider

from app.domain.language import _
from app.ui.controls import label
from app.ui.inspector.fields import Apply, Field
from app.ui.inspector.numbers import number_text

_STEPS = 20  # to a temperature of 1
_MOST = 1.5  # above it most models write no sense; "Advanced" goes on to 5


class Slider(QSlider):
    """A slider that leaves the wheel to what it stands in."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll on."""
        event.ignore()


class Creativity(Field):
    """The slider with its words.

    Attributes:
        slider: In steps of 0.05.
    """

    def __init__(self, apply: "Apply[float | None]") -> None:
        super().__init__()
        self._apply = apply
        self._usual = 0.0
        name = _("Creativity")
        title = label(name)
        title.setProperty("measure", "field")
        self._number = label("", tone="soft", measure="field")
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self._number)
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(name)
        self.slider.setRange(0, round(_MOST * _STEPS))
        self.slider.setPageStep(4)
        self.slider.setMinimumHeight(22)
        self.slider.valueChanged.connect(self._moved)
        ends = QHBoxLayout()
        for text, side in (
            (_("precise"), Qt.AlignmentFlag.AlignLeft),
            (_("balanced"), Qt.AlignmentFlag.AlignHCenter),
            (_("free"), Qt.AlignmentFlag.AlignRight),
        ):
            end = label(text, tone="soft", measure="small")
            ends.addWidget(end, 1, side)
        self.column.addLayout(head)
        self.column.addWidget(self.slider)
        self.column.addLayout(ends)
        self.close_column()

    def show_value(self, value: float | None, usual: float) -> None:
        """Show the temperature that is set, or the usual one."""
        self._usual = usual
        shown = usual if value is None else value
        self._number.setText(number_text(float(shown)))
        if not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setValue(round(shown * _STEPS))
            self.slider.blockSignals(False)
        self.complain(None)

    def _moved(self, step: int) -> None:
        value = step / _STEPS
        self._number.setText(number_text(value))
        near = abs(value - self._usual) < 1 / _STEPS / 2
        self.try_to(lambda: self._apply(None if near else value))
