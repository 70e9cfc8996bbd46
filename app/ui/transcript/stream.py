"""Markdown that arrives piece by piece: only its last block is parsed and written again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QTextCursor, QTextDocument

from app.ui.transcript.marks import Card
from app.ui.transcript.style import Style
from app.ui.transcript.tail import presentable
from app.ui.transcript.writer import Writer

if TYPE_CHECKING:  # imported with the first message, not with the window
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

SLICE = 2048
"""Characters of source that one step takes on: a few milliseconds."""
LONGEST_BLOCK = 16_384
"""Characters after which a block without an end is cut, so that no answer can make a step slow."""
LONGEST_DEFINING = 200_000
"""Characters of source up to which late link definitions are looked up."""
_UNSETTLED = re.compile(r"[ \t]*(?:\d{1,9}[.)]?[ \t]*|[-+*_=#> \t]+|`{3,}.*|~{3,}.*)")
"""A last line that may become something else: a number the next item of the list above, a dash text."""
_BREAK = re.compile("\n")
_MAY_CLOSE = re.compile(r" {0,3}(?:`*|~*)[ \t]*")
_BLANK = re.compile(r"[ \t]*")
# Not text in a Qt document, or not allowed in Markdown.
_STRANGE = str.maketrans(
    {"\0": "\ufffd", "\u2029": "\n", "\ufdd0": "\ufffd", "\ufdd1": "\ufffd", "\ufffc": "\ufffd"}
)


def clean(text: str) -> str:
    """Return `text` with line feeds only, and without what a Qt document takes for its own structure."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_STRANGE)


@cache
def parser() -> "MarkdownIt":
    """Return the parser: CommonMark with tables and strikethrough, HTML as plain text."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = lambda url: True  # type: ignore[method-assign]  # the writer decides what may be opened
    return made


class _Definitions(dict[str, Any]):
    """The link definitions of a source, which count only when all of it is there.

    A definition may be half of one, or no definition at all once its line is whole; so those that the
    parser comes across are not kept, only noted.
    """

    seen = False

    def __setitem__(self, label: str, definition: Any) -> None:
        self.seen = True


@dataclass(frozen=True)
class _Block:
    """A top-level block, or one item of a top-level list, with the place in the source it begins at."""

    tokens: "list[Token]"
    at: int
    ordinal: int | None = None
    goes_on: bool = False


@dataclass(frozen=True)
class _Start:
    """How the block at the mark begins, where its source alone does not say so."""

    ordinal: int | None = None
    goes_on: bool = False


@dataclass
class _OpenFence:
    """A fence that is still open: `line` is where the last line of the source begins."""

    card: Card
    closing: re.Pattern[str]
    line: int


class MarkdownStream:
    """Writes a growing Markdown source into a document.

    However the source is cut into pieces, the document is the same once `finish` has run. Blocks
    before the mark are done: later source cannot change them. The exception are link definitions,
    which may name an earlier link; then `finish` writes everything once more.
    """

    def __init__(self, document: QTextDocument, style: Style) -> None:
        self.source = ""
        self._document = document
        self._style = style
        self._held_return = False
        self._definitions = _Definitions()
        self._begin()

    def _begin(self) -> None:
        self._document.clear()
        self.writer = Writer(self._document, self._style)
        self._mark = 0
        self._start = _Start()
        self._place = self.writer.place()
        self._fence: _OpenFence | None = None

    def feed(self, text: str) -> None:
        """Add `text` to the source; `step` and `finish` show it."""
        if self._held_return:
            text = "\r" + text
        self._held_return = text.endswith("\r")
        text = text.removesuffix("\r")
        self.source += clean(text)

    def step(self, *, final: bool = False) -> bool:
        """Write the next few thousand characters; return whether all of the source is written.

        Args:
            final: No more is to come: show the end as it stands.
        """
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        try:
            if self._fence is not None:
                return self._extend_fence(self._fence, final=final)
            return self._write_blocks(final=final)
        finally:
            cursor.endEditBlock()

    @property
    def settled_cards(self) -> int:
        """Return how many cards of code later source cannot change."""
        return self._place.marks[0]

    @property
    def in_fence(self) -> bool:
        """Return whether the last card is still being written."""
        return self._fence is not None

    def flush(self, *, final: bool = False) -> None:
        """Write all of the source."""
        while not self.step(final=final):
            pass

    def finish(self) -> None:
        """Write the end as it stands, and with it the links that were defined late."""
        if self._held_return:
            self._held_return = False
            self.source += "\n"
        self.flush(final=True)
        if self._definitions.seen and len(self.source) <= LONGEST_DEFINING:
            env: dict[str, Any] = {}
            parser().parse(self.source, env)
            if "references" in env:
                self._definitions.update(env["references"])
                self._begin()
                self.flush(final=True)

    # ---- blocks

    def _write_blocks(self, *, final: bool) -> bool:
        window = SLICE
        while True:
            text = self.source[self._mark : self._mark + window]
            whole = self._mark + window >= len(self.source)
            if not whole:
                text = text[: text.rfind("\n") + 1] or text
            blocks = self._blocks(text)
            if blocks and self._is_open_fence(blocks[-1], text):
                return self._enter_fence(blocks, text, final=final)
            if whole:
                self._write(blocks, "" if final else text)
                return True
            if len(blocks) > 1:
                behind = self._mark + blocks[-1].at
                self._write(blocks[:-1])
                self._move_mark(behind, _start(blocks[-1]))
                return False
            if window >= LONGEST_BLOCK:
                self._cut(text)
                return False
            window *= 2

    def _write(self, blocks: list[_Block], growing: str = "") -> None:
        """Write `blocks` in place of what follows the mark, and move the mark to the last of them.

        An unsettled block may yet turn out to belong to the one before it: then the mark moves only to
        that one.

        Args:
            blocks: What the source behind the mark consists of.
            growing: That source, when more is to come and its end is to be made presentable.
        """
        self.writer.go_back(self._place)
        if not blocks:
            return
        last = len(blocks) - 1
        if last and growing and _is_unsettled(blocks[last], growing):
            last -= 1
        for block in blocks[:last]:
            self._write_block(block)
        tail, source = blocks[last:], growing[blocks[last].at :]
        self._move_mark(self._mark + tail[0].at, _start(tail[0]))
        shown = presentable(source)
        for block in tail if shown == source else self._blocks(shown):
            self._write_block(block)

    def _write_block(self, block: _Block) -> None:
        self.writer.write(block.tokens, ordinal=block.ordinal, goes_on=block.goes_on)

    def _move_mark(self, place: int, start: _Start) -> None:
        self._mark = place
        self._start = start
        self._place = self.writer.place()

    def _cut(self, text: str) -> None:
        """End a block that is too long after its last whole line, or word."""
        end = max(text.rfind("\n"), text.rfind(" "), 0) or len(text) - 1
        behind = self._mark + end + 1
        self._write(self._blocks(text[: end + 1]))
        self._move_mark(behind, _Start())

    def _blocks(self, text: str) -> list[_Block]:
        """Parse `text`, which begins at the mark."""
        tokens = parser().parse(text, {"references": self._definitions})
        return list(_split(tokens, text, self._start))

    # ---- an open fence

    def _is_open_fence(self, block: _Block, text: str) -> bool:
        token = block.tokens[0]
        if token.type != "fence" or token.map is None or text[block.at] not in "`~":
            return False
        first, behind = token.map
        lines = text.split("\n")
        closed = behind - 1 > first and _closing(token.markup).fullmatch(lines[behind - 1])
        return not closed and len(lines) > first + 1

    def _enter_fence(self, blocks: list[_Block], text: str, *, final: bool) -> bool:
        """Write an open fence as an empty card, from where its lines are only added."""
        self.writer.go_back(self._place)
        for block in blocks[:-1]:
            self._write_block(block)
        token = blocks[-1].tokens[0]
        card = self.writer.write_code(token.info, "")
        self._move_mark(self._mark + text.index("\n", blocks[-1].at) + 1, _Start())
        self._fence = _OpenFence(card, _closing(token.markup), self._mark)
        return self._extend_fence(self._fence, final=final)

    def _extend_fence(self, fence: _OpenFence, *, final: bool) -> bool:
        """Add the next lines of an open fence to its card; the mark stands behind what is shown."""
        end = min(self._mark + SLICE, len(self.source))
        whole = end == len(self.source)
        while (break_ := self.source.find("\n", fence.line, end)) >= 0:
            if fence.closing.fullmatch(self.source, fence.line, break_):
                return self._close_fence(fence, break_ + 1)
            fence.line = break_ + 1
        if whole and final and fence.closing.fullmatch(self.source, fence.line):
            return self._close_fence(fence, end)
        if whole and (_BLANK if final else _MAY_CLOSE).fullmatch(self.source, fence.line):
            end = fence.line
        self._add_code(fence, end)
        return whole

    def _add_code(self, fence: _OpenFence, end: int) -> None:
        """Show the source up to `end`, less a line break that nothing follows yet."""
        if end > self._mark and self.source[end - 1] == "\n":
            end -= 1
        if end > self._mark:
            self.writer.extend_code(fence.card, self.source[self._mark : end])
            self._mark = end

    def _close_fence(self, fence: _OpenFence, behind: int) -> bool:
        self._add_code(fence, fence.line)
        self._fence = None
        self._move_mark(behind, _Start())
        return behind == len(self.source)


def _is_unsettled(block: _Block, source: str) -> bool:
    """Return whether the rest of its line can still make something else of the last block."""
    if block.tokens[0].type == "table_open":  # the line under the head decides
        return source.count("\n", block.at) < 2
    return _UNSETTLED.fullmatch(source, block.at) is not None


def _closing(markup: str) -> re.Pattern[str]:
    """Return what closes a fence that `markup` opened."""
    return re.compile(rf" {{0,3}}{re.escape(markup[0])}{{{len(markup)},}}[ \t]*")


def _split(tokens: "list[Token]", text: str, start: _Start) -> Iterator[_Block]:
    """Give the top-level blocks of `tokens`; a list that begins at the margin comes item by item."""
    lines = [0, *(match.end() for match in _BREAK.finditer(text))]
    at = 0
    while at < len(tokens):
        end = at + 1
        if tokens[at].nesting == 1:
            end = (
                next(i for i in range(at, len(tokens)) if tokens[i].level == 0 and tokens[i].nesting < 0) + 1
            )
        if tokens[at].type in {"bullet_list_open", "ordered_list_open"}:
            yield from _items(tokens[at:end], text, lines, start if at == 0 else _Start())
        else:
            yield _Block(tokens[at:end], lines[_line(tokens[at])])
        at = end


def _items(tokens: "list[Token]", text: str, lines: list[int], start: _Start) -> list[_Block]:
    opening, *inside, closing = tokens
    ordinal = int(opening.attrs.get("start", 1)) if opening.type == "ordered_list_open" else None
    goes_on = False
    if (ordinal is None) == (start.ordinal is None):
        ordinal, goes_on = start.ordinal, start.goes_on
    blocks: list[_Block] = []
    for token in inside:
        if token.type == "list_item_open" and token.level == 1:
            at = lines[_line(token)]
            if not blocks or text[at] not in " \t":
                blocks.append(_Block([opening], at, ordinal, goes_on or bool(blocks)))
            if ordinal is not None:
                ordinal += 1
        blocks[-1].tokens.append(token)
    for block in blocks:
        block.tokens.append(closing)
    return blocks


def _line(token: "Token") -> int:
    return token.map[0] if token.map else 0


def _start(block: _Block) -> _Start:
    return _Start(block.ordinal, block.goes_on)
