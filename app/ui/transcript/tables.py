"""What tables look like, and their rows as markdown-it gives them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QTextBlockFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTableCellFormat,
    QTextTableFormat,
)

from app.ui.transcript.style import TABLE, Style

if TYPE_CHECKING:  # imported with the first message, not with the window
    from markdown_it.token import Token

_ALIGNMENTS = {"center": Qt.AlignmentFlag.AlignHCenter, "right": Qt.AlignmentFlag.AlignRight}


def rows(tokens: "Sequence[Token]") -> "Iterator[list[tuple[Token, Qt.AlignmentFlag | None]]]":
    """Give each row of a table as the content and the alignment of its cells."""
    row: list[tuple[Token, Qt.AlignmentFlag | None]] = []
    align: Qt.AlignmentFlag | None = None
    for token in tokens:
        if token.type in {"th_open", "td_open"}:
            styled = str(token.attrGet("style") or "")
            align = next((flag for name, flag in _ALIGNMENTS.items() if name in styled), None)
        elif token.type == "inline":
            row.append((token, align))
        elif token.type == "tr_close":
            yield row
            row = []


def table_format(style: Style, indent: int) -> QTextTableFormat:
    """Return the format of a whole table that stands `indent` steps in."""
    made = QTextTableFormat()
    made.setBorder(0)
    made.setCellSpacing(0)
    made.setCellPadding(0)
    made.setBorderCollapse(True)
    made.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    made.setLeftMargin(style.px(24) * indent)
    made.setBottomMargin(style.px(4))
    return made


def cell_block(style: Style, align: Qt.AlignmentFlag | None) -> QTextBlockFormat:
    """Return the format of the text in a cell."""
    made = style.block(TABLE[1])
    if align:
        made.setAlignment(align)
    return made


def cell_format(style: Style) -> QTextTableCellFormat:
    """Return the format of a cell."""
    made = QTextTableCellFormat()
    made.setTopPadding(style.px(3))  # lines sit low in their height
    made.setBottomPadding(style.px(7))
    made.setLeftPadding(style.px(10))
    made.setRightPadding(style.px(10))
    made.setBottomBorder(1)
    made.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    made.setBottomBorderBrush(QColor(style.palette.line))
    return made
