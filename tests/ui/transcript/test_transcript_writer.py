import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextDocument, QTextTable

from app.ui.theme import LIGHT
from app.ui.transcript.stream import parser
from app.ui.transcript.style import Style
from app.ui.transcript.writer import (
    LONGEST_CODE_LINE,
    MAX_TABLE_CELLS,
    MAX_TABLE_COLUMNS,
    Writer,
    may_open,
    reads_right_to_left,
)


class Page:
    """A document that was written from Markdown."""

    def __init__(self, source: str, style: Style) -> None:
        self.document = QTextDocument()
        self.writer = Writer(self.document, style)
        self.writer.write(parser().parse(source))

    @property
    def marks(self):
        return self.writer.marks

    def blocks(self) -> list[QTextBlock]:
        block, found = self.document.begin(), []
        while block.isValid():
            found.append(block)
            block = block.next()
        return found

    def texts(self) -> list[str]:
        """Return the text of each block that has a height."""
        return [block.text() for block in self.blocks() if block.blockFormat().lineHeight() > 0]

    def runs(self, number: int = 0) -> list[tuple[str, QTextCharFormat]]:
        """Return the stretches of one block with their formats."""
        found = []
        stretches = self.blocks()[number].begin()
        while not stretches.atEnd():
            fragment = stretches.fragment()
            found.append((fragment.text(), fragment.charFormat()))
            stretches += 1
        return found

    def run(self, text: str) -> QTextCharFormat:
        """Return the format of the stretch that reads `text`."""
        for number in range(len(self.blocks())):
            for found, format_ in self.runs(number):
                if found == text:
                    return format_
        raise AssertionError(f"no run {text!r}")

    def tables(self) -> list[QTextTable]:
        return [frame for frame in self.document.rootFrame().childFrames() if isinstance(frame, QTextTable)]


@pytest.fixture
def page(style):
    return lambda source: Page(source, style)


def test_emphasis_strong_strike_and_code(page):
    written = page("plain *soft* **loud** ***both*** ~~gone~~ `code`")
    assert written.run("soft").fontItalic()
    assert written.run("loud").fontWeight() >= 600
    assert written.run("both").fontItalic()
    assert written.run("both").fontWeight() >= 600
    assert written.run("gone").fontStrikeOut()
    assert written.run("code").fontFixedPitch()
    (start, end), text = written.marks.spans[0], written.document.toPlainText()
    assert text[start:end] == "code"


def test_headings_step_down_in_size(page):
    written = page("# one\n\n## two\n\n### three\n\n#### four\n\n##### five\n\ntext")
    sizes = [written.run(word).fontPointSize() for word in ("one", "two", "three", "four", "text")]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2] > sizes[4]
    assert written.run("four").fontWeight() >= 600
    assert written.run("five").fontPointSize() == written.run("four").fontPointSize()


def test_line_breaks_stay_in_the_paragraph(page):
    assert page("one\ntwo  \nthree\\\nfour").texts() == ["one\u2028two\u2028three\u2028four"]


def test_lists_count_and_hang(page):
    written = page("3. three\n3. four\n\n- dot\n  - ring\n    - square\n\n  again")
    assert written.texts() == ["3.\tthree", "4.\tfour", "•\tdot", "◦\tring", "▪\tsquare", "again"]
    formats = [block.blockFormat() for block in written.blocks()]
    assert [each.indent() for each in formats] == [1, 1, 1, 2, 3, 1]
    assert [each.textIndent() for each in formats] == [-24, -24, -24, -24, -24, 0]


def test_long_numbers_have_room(page):
    written = page("9999. far")
    (tab,) = written.blocks()[0].blockFormat().tabPositions()
    assert tab.position > 24


def test_tasks_have_boxes(page):
    written = page("- [ ] open\n- [x] done\n- [X] also\n- [y] none")
    assert written.texts() == ["☐\topen", "☑\tdone", "☑\talso", "•\t[y] none"]
    assert [ticked for position, ticked in written.marks.boxes] == [False, True, True]
    assert written.run("☐").foreground().color().alpha() == 0


def test_items_that_do_not_begin_with_text_keep_their_marker(page):
    written = page("- ```\n  code\n  ```\n-\n- > quote\n1. - both")
    assert written.texts() == ["•\t", "code", "•\t", "•\t", "quote", "1.\t", "•\tboth"]


def test_quotes_are_barred_from_first_to_last_block(page):
    written = page("> one\n>\n> two\n>\n> > inner\n\nafter")
    blocks = written.blocks()
    outer, inner = written.marks.quotes
    assert outer == (blocks[0].position(), blocks[2].position() + len("inner"), 0)
    assert inner == (blocks[2].position(), blocks[2].position() + len("inner"), 1)
    assert [block.blockFormat().indent() for block in blocks] == [1, 1, 2, 0]


def test_empty_quotes_leave_no_mark(page):
    assert page(">\n\ntext").marks.quotes == []


def test_code_keeps_its_lines_tabs_and_source(page):
    written = page("before\n\n```python title\n\tif a:\n\n\t\tb\n```\n\nafter")
    assert written.texts() == ["before", "    if a:", "", "        b", "after"]
    (card,) = written.marks.cards
    assert card.language == "python"
    assert card.source == "\tif a:\n\n\t\tb"
    assert card.code == "    if a:\n\n        b"
    first, last = (written.document.findBlock(place) for place in (card.start, card.end))
    assert (first.text(), last.text()) == ("    if a:", "        b")
    assert first.blockFormat().layoutDirection() == Qt.LayoutDirection.LeftToRight
    assert first.blockFormat().topMargin() > 40
    assert last.blockFormat().bottomMargin() > 10


def test_code_grows_in_place(page):
    written = page("```\na\n```")
    (card,) = written.marks.cards
    for piece in ("\tb", "\tc", "\n", "d\ne"):
        written.writer.extend_code(card, piece)
    assert card.source == "a\tb\tc\nd\ne"
    assert written.texts() == ["a   b   c", "d", "e"]


@pytest.mark.parametrize("size", [1, 7, 4000])
def test_endless_lines_of_code_are_cut(page, size):
    line = "x" * (2 * LONGEST_CODE_LINE + 5)
    written = page("```\n```")
    (card,) = written.marks.cards
    source = f"a\n{line}\nb"
    for start in range(0, len(source), size):
        written.writer.extend_code(card, source[start : start + size])
    assert card.source == source
    assert written.texts() == ["a", "x" * LONGEST_CODE_LINE, "x" * LONGEST_CODE_LINE, "xxxxx", "b"]
    assert card.code.split("\n") == written.texts()


def test_indented_code_is_a_card(page):
    assert [card.source for card in page("    indented\n    code").marks.cards] == ["indented\ncode"]


def test_rules_are_lines_without_text(page):
    written = page("one\n\n---\n\ntwo")
    assert written.marks.rules == [written.blocks()[1].position()]
    assert written.texts() == ["one", "", "two"]


def test_tables_align_and_have_strong_heads(page):
    written = page("| a | b | c |\n|:--|:-:|--:|\n| 1 | **2** | `3` |\n| 4 |")
    (table,) = written.tables()
    assert (table.rows(), table.columns()) == (3, 3)
    cells = [
        [table.cellAt(y, x).firstCursorPosition().block() for x in range(3)] for y in range(table.rows())
    ]
    assert [[block.text() for block in row] for row in cells] == [
        ["a", "b", "c"],
        ["1", "2", "3"],
        ["4", "", ""],
    ]
    assert cells[1][1].blockFormat().alignment() & Qt.AlignmentFlag.AlignHCenter
    assert cells[1][2].blockFormat().alignment() & Qt.AlignmentFlag.AlignRight
    assert written.run("a").fontWeight() >= 600
    assert written.run("1").fontWeight() < 600


def test_what_surrounds_a_table_has_no_height(page):
    written = page("| a |\n|---|\n| 1 |\n\ntext")
    assert written.texts() == ["a", "1", "text"]


@pytest.mark.parametrize(("columns", "lines"), [(MAX_TABLE_COLUMNS + 1, 1), (5, MAX_TABLE_CELLS // 5)])
def test_tables_too_large_to_lay_out_are_shown_as_written(page, columns, lines):
    rule, line = "|---" * columns + "|\n", "|x" * columns + "|\n"
    written = page(line + rule + line * lines)
    assert written.tables() == []
    assert written.marks.cards[0].source.count("\n") == lines


def test_links_of_the_web_and_of_mail_are_links(page):
    written = page("[web](https://example.org/a?b=c) [mail](mailto:a@example.org) <http://example.org>")
    assert written.run("web").anchorHref() == "https://example.org/a?b=c"
    assert written.run("web").toolTip() == "https://example.org/a?b=c"
    assert written.run("mail").anchorHref() == "mailto:a@example.org"
    assert written.run("http://example.org").isAnchor()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "/etc/passwd",
        "ftp://example.org",
        "smb://a/b",
        "#x",
    ],
)
def test_other_links_are_only_their_text(page, address):
    assert not may_open(address)
    written = page(f"[text]({address})")
    assert written.texts() == ["text"]
    assert "href" not in written.document.toHtml()


def test_images_are_their_description(page):
    written = page("![A cat](file:///cat.png) ![](https://example.org/x.png)")
    assert written.texts() == ["A cat picture"]
    assert "<img" not in written.document.toHtml()


def test_html_is_text(page):
    source = "<b>bold</b> <script>alert(1)</script>"
    assert page(source).texts() == [source]
    assert page("<div>\nblock\n</div>").texts() == ["<div>\u2028block\u2028</div>"]


def test_entities_and_escapes_are_characters(page):
    assert page("&amp; &copy; \\*").texts() == ["& © *"]


def test_direction_follows_the_first_letter(page):
    assert reads_right_to_left("1. שלום")
    assert reads_right_to_left("(مرحبا) hello")
    assert not reads_right_to_left("hello שלום")
    assert not reads_right_to_left("123")
    written = page("- שלום\n- hello")
    kinds = [block.blockFormat().tabPositions()[0].type.name for block in written.blocks()]
    assert kinds == ["RightTab", "LeftTab"]


def test_colours_come_from_the_palette(page):
    written = page("text\n\n> quote\n\n[link](https://example.org)")
    assert written.run("text").foreground().color().name().upper() == LIGHT.ink
    assert written.run("quote").foreground().color().name().upper() == LIGHT.soft
    assert written.run("link").foreground().color().name().upper() == LIGHT.accent_ink


def test_the_end_can_be_taken_back(page):
    written = page("one")
    place = written.writer.place()
    for source in ("two", "| a |\n|---|\n| 1 |", "- a\n\n      code\n", "> `q`\n\n---\n\n- [ ] x"):
        written.writer.write(parser().parse(source))
        written.writer.go_back(place)
        assert written.texts() == ["one"]
        assert written.marks.lengths() == (0, 0, 0, 0, 0)
    written.writer.write(parser().parse("two"))
    assert written.texts() == ["one", "two"]
    assert written.document.toHtml() == page("one\n\ntwo").document.toHtml()


def test_scale_makes_everything_larger(style):
    small, large = Page("# a\n\n- b", style), Page("# a\n\n- b", Style(LIGHT, 2.0))
    assert large.run("b").fontPointSize() == pytest.approx(2 * small.run("b").fontPointSize())
    assert large.blocks()[1].blockFormat().lineHeight() == 2 * small.blocks()[1].blockFormat().lineHeight()
    assert large.document.indentWidth() == 2 * small.document.indentWidth()
