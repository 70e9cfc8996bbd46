"""Markdown tokens to text formats: the only place that says what each construct looks like."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
)

from app.domain.language import _
from app.ui.transcript import tables
from app.ui.transcript.marks import Card, Marks, Place
from app.ui.transcript.style import (
    CARD_BOTTOM,
    CARD_GAP,
    CARD_HEADER,
    CARD_SIDE,
    CARD_TOP,
    CODE,
    HEADINGS,
    Run,
    Style,
)

if TYPE_CHECKING:  # imported with the first message, not with the window
    from markdown_it.token import Token

LINK_SCHEMES = ("http://", "https://", "mailto:")
MAX_INDENT = 8
MAX_TABLE_CELLS = 1000  # laying out a cell takes about 0.03 ms
MAX_TABLE_COLUMNS = 24
TAB = 4
LONGEST_CODE_LINE = 2000
_BULLETS = "•◦▪"
_TASK = re.compile(r"\[([ xX])\][ \u00a0]")
_LINE_SEPARATOR = "\u2028"


def may_open(address: str) -> bool:
    """Return whether a link to `address` may be offered: the web and mail, nothing on this computer."""
    return address.lower().startswith(LINK_SCHEMES)


def reads_right_to_left(text: str) -> bool:
    """Return whether the first letter with a direction points to the left, as Qt decides it."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False


@dataclass
class _List:
    ordinal: int | None
    first: bool = True


class Writer:
    """Writes tokens of markdown-it at the end of a document, and can take the end back.

    The document holds one block for each paragraph and each line of code. Blocks stand apart by
    their upper margin alone. Around a table, Qt wants a block on either side: those that hold no
    text are folded to no height.
    """

    def __init__(self, document: QTextDocument, style: Style) -> None:
        self.document = document
        self.style = style
        self.marks = Marks()
        self._fresh = True
        self._cursor = QTextCursor(document)
        self._depth = 0
        self._quotes: list[tuple[int, int]] = []
        self._lists: list[_List] = []
        self._marker = ""
        document.setIndentWidth(style.px(24))
        self._fold()

    # ---- places

    def place(self) -> Place:
        """Return the end as it is now."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        return Place(self._cursor.position(), self._fresh, self.marks.lengths())

    def go_back(self, place: Place) -> None:
        """Take back everything written since `place`."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        end = self._cursor.position()
        if end > place.position:
            self._cursor.setPosition(place.position if place.fresh else place.position + 1)
            self._cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            self._cursor.removeSelectedText()
        if end > place.position or place.fresh:
            self._fresh = True
            self._fold()
        self.marks.shorten(place.marks)

    # ---- blocks

    def write(self, tokens: "Sequence[Token]", *, ordinal: int | None = None, goes_on: bool = False) -> None:
        """Write top-level blocks.

        Args:
            tokens: As markdown-it gives them.
            ordinal: What the first item of an ordered list counts, where it differs from its source.
            goes_on: The first list is the rest of one that has begun before.
        """
        self._depth = 0
        index = 0
        while index < len(tokens):
            token = tokens[index]
            match token.type:
                case "inline":
                    self._paragraph(token, tokens[index - 1])
                case "bullet_list_open" | "ordered_list_open":
                    outermost = not self._lists
                    self._open_list(token, ordinal if outermost else None, first=not (goes_on and outermost))
                case "fence" | "code_block":
                    self.write_code(token.info, token.content.removesuffix("\n"))
                case "hr":
                    self._rule()
                case "table_open":
                    closing = next(i for i in range(index, len(tokens)) if tokens[i].type == "table_close")
                    self._table(tokens[index : closing + 1])
                    index = closing
                case _:
                    self._nest(token)
            index += 1

    def _nest(self, token: "Token") -> None:
        """Go a step into or out of lists and quotes."""
        match token.type:
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._open_item()
            case "list_item_close":
                self._flush_marker()
                self._depth -= 1
            case "blockquote_open":
                self._flush_marker()
                self._quotes.append((len(self.marks.quotes), self._depth))
                self.marks.quotes.append((-1, -1, self._depth))
                self._depth += 1
            case "blockquote_close":
                self._close_quote()

    def _open(self, block: QTextBlockFormat) -> None:
        """Begin a paragraph at the end."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._fresh:
            if self._cursor.position() == 0:
                block.setTopMargin(0)
            self._cursor.setBlockFormat(block)
            self._fresh = False
        else:
            self._cursor.insertBlock(block)
        if self._quotes:
            self._begin_quotes()

    def _fold(self) -> None:
        """Take the height from the empty block at the end."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._cursor.setBlockFormat(self.style.block(0))

    def _indent(self) -> int:
        return min(self._depth, MAX_INDENT)

    def _paragraph(self, token: "Token", opening: "Token") -> None:
        run = Run(soft=bool(self._quotes))
        if opening.type == "heading_open":
            level = int(opening.tag[1])
            run = run._replace(heading=level)
            line, top = HEADINGS[min(level, len(HEADINGS)) - 1][1], (24, 22, 18, 16)[min(level, 4) - 1]
        else:
            line, top = 26, 6 if self._lists else 10
        children = list(token.children or ())
        block = self.style.block(line, top, self._indent())
        if self._marker:
            self._item(block, token.content, children)
        else:
            self._open(block)
        self._inline(children, run)

    def _open_list(self, token: "Token", ordinal: int | None, *, first: bool) -> None:
        self._flush_marker()
        if token.type == "bullet_list_open":
            ordinal = None
        elif ordinal is None:
            ordinal = int(token.attrs.get("start", 1))
        self._lists.append(_List(ordinal, first))

    def _open_item(self) -> None:
        self._flush_marker()
        self._depth += 1
        current = self._lists[-1]
        if current.ordinal is None:
            level = sum(1 for each in self._lists if each.ordinal is None) - 1
            self._marker = _BULLETS[min(level, len(_BULLETS) - 1)]
        else:
            self._marker = f"{current.ordinal}."
            current.ordinal += 1

    def _item(self, block: QTextBlockFormat, content: str, children: "list[Token]") -> None:
        """Open a block that begins with the marker of its item."""
        current = self._lists[-1]
        block.setTopMargin(self.style.px(8 if current.first and len(self._lists) == 1 else 4))
        current.first = False
        task = _TASK.match(content)
        marker = "☐" if task else self._marker
        self._marker = ""
        self.style.hang(block, marker, right_to_left=reads_right_to_left(content))
        self._open(block)
        if task:
            ticked = task[1] != " "
            self.marks.boxes.append((self._cursor.position(), ticked))
            marker = "☑" if ticked else "☐"
            children[0] = children[0].copy(content=children[0].content[task.end() :])
        self._insert(marker, Run(marker=True, hidden=task is not None))
        self._insert("\t", Run(marker=True))

    def _flush_marker(self) -> None:
        """Write the marker of an item that does not begin with a paragraph."""
        if self._marker:
            self._item(self.style.block(26, 4, self._indent()), "", [])

    def _begin_quotes(self) -> None:
        position = self._cursor.position()
        for index, depth in self._quotes:
            if self.marks.quotes[index][0] < 0:
                self.marks.quotes[index] = (position, position, depth)

    def _close_quote(self) -> None:
        self._flush_marker()
        index, depth = self._quotes.pop()
        start = self.marks.quotes[index][0]
        self._depth -= 1
        if start < 0:  # an empty quote
            del self.marks.quotes[index:]
        else:
            self.marks.quotes[index] = (start, self.place().position, depth)

    def _rule(self) -> None:
        self._flush_marker()
        block = self.style.block(1, 20, self._indent())
        block.setBottomMargin(self.style.px(14))
        self._open(block)
        self.marks.rules.append(self._cursor.position())

    # ---- code

    def write_code(self, info: str, source: str) -> Card:
        """Write a card of code; `info` is what follows the opening fence."""
        self._flush_marker()
        card = Card(0, 0, info.split()[0] if info.split() else "", "", "")
        at_start = self._fresh and self.document.characterCount() == 1
        if at_start:
            self._fresh = False  # Qt leaves no space above a first block: a folded one comes before
        block = self._code_block()
        self._open(block)
        block.setTopMargin(self.style.px((0 if at_start else CARD_GAP) + CARD_HEADER + CARD_TOP))
        self._cursor.setBlockFormat(block)
        card.start = card.end = self._cursor.position()
        self.marks.cards.append(card)
        self.extend_code(card, source)
        return card

    def extend_code(self, card: Card, added: str) -> None:
        """Write more source at the end of the last card, which is the end of the document."""
        # A tab reaches to the next stop of its line, so the widened line is cut from the whole one.
        line_start = card.source.rfind("\n") + 1
        shown_start = card.code.rfind("\n") + 1
        before = len(card.source[line_start:].expandtabs(TAB))
        card.source += added
        first, *others = card.source[line_start:].expandtabs(TAB).split("\n")
        begun = max(before - 1, 0) // LONGEST_CODE_LINE  # pieces of the line that are full
        lines = [*_pieces(first)[begun:], *(piece for line in others for piece in _pieces(line))]
        format_ = self.style.code_characters()
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._cursor.insertText(lines[0][before - begun * LONGEST_CODE_LINE :], format_)
        if len(lines) > 1:
            self._code_end(last=False)
            self._cursor.insertBlock(self._code_block())
            self._cursor.insertText("\n".join(lines[1:]), format_)  # a block for each line
        card.code = card.code[:shown_start] + "\n".join(lines)
        self._code_end(last=True)
        card.end = self._cursor.position()

    def _code_block(self) -> QTextBlockFormat:
        px = self.style.px
        block = self.style.block(CODE[1], 0, self._indent())
        block.setLeftMargin(px(CARD_SIDE))
        block.setRightMargin(px(CARD_SIDE))
        block.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        return block

    def _code_end(self, *, last: bool) -> None:
        block = self._cursor.blockFormat()
        block.setBottomMargin(self.style.px(CARD_BOTTOM + CARD_GAP) if last else 0)
        self._cursor.setBlockFormat(block)

    # ---- tables

    def _table(self, tokens: "Sequence[Token]") -> None:
        self._flush_marker()
        rows = list(tables.rows(tokens))
        columns = len(rows[0]) if rows else 0
        if columns > MAX_TABLE_COLUMNS or columns * len(rows) > MAX_TABLE_CELLS:
            lines = (" | ".join(inline.content for inline, align in row) for row in rows)
            self.write_code("", "\n".join(lines))
            return
        self._open(self.style.block(0, 10))
        table = self._cursor.insertTable(len(rows), columns, tables.table_format(self.style, self._indent()))
        format_ = tables.cell_format(self.style)
        blocks = [tables.cell_block(self.style, align) for inline, align in rows[0]]
        for y, row in enumerate(rows):
            for x, (inline, _align) in enumerate(row):
                cell = table.cellAt(y, x)
                cell.setFormat(format_)
                self._cursor = cell.firstCursorPosition()
                self._cursor.setBlockFormat(blocks[x])
                self._inline(list(inline.children or ()), Run(table=True, strong=y == 0))
        self._fold()

    # ---- inline

    def _inline(self, children: "Sequence[Token]", run: Run) -> None:
        outside: list[Run] = []
        for token in children:
            match token.type:
                case "text" | "text_special" | "html_inline":
                    self._insert(token.content, run)
                case "softbreak" | "hardbreak":
                    self._insert(_LINE_SEPARATOR, run)
                case "code_inline":
                    start = self._cursor.position()
                    self._insert(token.content, run._replace(code=True))
                    self.marks.spans.append((start, self._cursor.position()))
                case "image":
                    self._insert(token.content or _("picture"), run._replace(soft=True, emphasis=True))
                case "strong_open":
                    outside.append(run)
                    run = run._replace(strong=True)
                case "em_open":
                    outside.append(run)
                    run = run._replace(emphasis=True)
                case "s_open":
                    outside.append(run)
                    run = run._replace(strike=True)
                case "link_open":
                    outside.append(run)
                    address = str(token.attrGet("href") or "")
                    if may_open(address):
                        run = run._replace(href=address)
                case "strong_close" | "em_close" | "s_close" | "link_close":
                    run = outside.pop()

    def _insert(self, text: str, run: Run) -> None:
        self._cursor.insertText(text, self.style.characters(run))


def _pieces(line: str) -> list[str]:
    """Cut a line that no one could read anyway: laying it out takes time with its square."""
    return [line[at : at + LONGEST_CODE_LINE] for at in range(0, max(len(line), 1), LONGEST_CODE_LINE)]
