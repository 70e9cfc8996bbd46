"""Fonts, spaces and text formats of the transcript, made once for a palette and a scale."""

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextOption

from app.ui.fonts import code_families, text_font
from app.ui.theme import Palette, mixed

TEXT = (16.0, 26)
CODE = (13.5, 21)
INLINE_CODE = 14.0
TABLE = (14.5, 26)
SMALL = (12.5, 18)
HEADINGS = ((22.0, 32), (19.0, 28), (17.0, 26), (16.0, 26))  # levels 5 and 6 look like level 4
INDENT = 24
CARD_HEADER = 35
CARD_TOP = 9
"""Space between the header and the first line, and below the last: lines sit low in their height."""
CARD_BOTTOM = 12
CARD_SIDE = 14
CARD_GAP = 12


class Run(NamedTuple):
    """How a stretch of text looks. Equal runs share one format.

    Attributes:
        heading: Level from 1, or 0 for text.
        table: Text in a table cell.
        marker: The number or the dot in front of a list item.
        hidden: A task's box: painted, and in the text only to be read and copied.
    """

    heading: int = 0
    strong: bool = False
    emphasis: bool = False
    strike: bool = False
    code: bool = False
    soft: bool = False
    table: bool = False
    marker: bool = False
    hidden: bool = False
    href: str = ""


class Style:
    """What every part of the transcript draws with; a new theme or scale is a new style.

    Attributes:
        scale: 1.0 is the drawn size.
        mono: Family for code, or empty for the usual one.
    """

    def __init__(self, palette: Palette, scale: float = 1.0, mono: str = "") -> None:
        self.palette = palette
        self.scale = scale
        self.mono = mono
        self._formats: dict[Run, QTextCharFormat] = {}
        self._fonts: dict[tuple[float, bool, bool], QFont] = {}

    def px(self, length: float) -> int:
        """Return `length`, in pixels of the drawing, at this scale."""
        return round(length * self.scale)

    def font(self, size: float, *, strong: bool = False, mono: bool = False) -> QFont:
        """Return the interface's or the code's font at `size` pixels of the drawing."""
        key = (size, strong, mono)
        if key not in self._fonts:
            self._fonts[key] = self._font(size, strong=strong, mono=mono)
        return QFont(self._fonts[key])

    def _font(self, size: float, *, strong: bool, mono: bool) -> QFont:
        font = text_font(size * self.scale, QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
        if mono:
            font.setFamilies([self.mono, *code_families()] if self.mono else list(code_families()))
            font.setFixedPitch(True)
            font.setFeature(QFont.Tag("calt"), 0)  # code is shown as it is written: no arrow for ->
        return font

    def characters(self, run: Run) -> QTextCharFormat:
        """Return the format of `run`."""
        found = self._formats.get(run)
        if found is None:
            if len(self._formats) > 500:  # each address is a run of its own
                self._formats.clear()
            found = self._formats[run] = self._characters(run)
        return found

    def _characters(self, run: Run) -> QTextCharFormat:
        made = QTextCharFormat()
        size = TABLE[0] if run.table else TEXT[0]
        if run.heading:
            size = HEADINGS[min(run.heading, len(HEADINGS)) - 1][0]
        if run.code:
            size = INLINE_CODE * size / TEXT[0]
        font = self.font(size, strong=run.strong or bool(run.heading), mono=run.code)
        font.setItalic(run.emphasis)
        made.setFont(font)
        made.setFontStrikeOut(run.strike)
        made.setForeground(QColor(self.palette.soft if run.soft or run.marker else self.palette.ink))
        if run.hidden:
            made.setForeground(QColor(Qt.GlobalColor.transparent))
        if run.href:
            made.setAnchor(True)
            made.setAnchorHref(run.href)
            made.setToolTip(run.href)
            made.setForeground(QColor(self.palette.accent_ink))
            made.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
            made.setUnderlineColor(QColor(mixed(self.palette.accent_ink, self.palette.paper, 0.45)))
        return made

    def code_characters(self) -> QTextCharFormat:
        """Return the format of code in a card."""
        made = QTextCharFormat()
        made.setFont(self.font(CODE[0], mono=True))
        made.setForeground(QColor(self.palette.ink))
        return made

    def block(self, line: float = TEXT[1], top: float = 0, indent: int = 0) -> QTextBlockFormat:
        """Return a paragraph's format: height of a line and space above in pixels of the drawing."""
        made = QTextBlockFormat()
        made.setLineHeight(self.px(line), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        made.setTopMargin(self.px(top))
        made.setIndent(indent)
        return made

    def hang(self, made: QTextBlockFormat, marker: str, *, right_to_left: bool) -> None:
        """Give a paragraph room for `marker`, hanging in the last step of its indent."""
        step = self.px(INDENT)
        room = step if len(marker) <= 3 else max(step, self.px(9.5 * len(marker) + 4))
        kind = QTextOption.TabType.RightTab if right_to_left else QTextOption.TabType.LeftTab
        made.setTextIndent(-step)
        made.setTabPositions([QTextOption.Tab(room, kind)])
