import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextDocument

from app.ui.transcript.stream import LONGEST_BLOCK, SLICE, MarkdownStream, parser
from app.ui.transcript.style import Style
from app.ui.transcript.tail import presentable
from app.ui.transcript.writer import Writer

BLOCKS = [
    "# Title",
    "## Two `code` **bold**",
    "Some *words* and **more** and `code`.",
    "snake_case_word, 2*3*4, ~~gone~~",
    "- one",
    "- two\n  - inner\n    - deeper",
    "* star",
    "+ plus\n\n  second paragraph",
    "1. first",
    "1. again",
    "7) other",
    "10. ten\n    continued",
    "- [ ] open\n- [x] done",
    "```python\ndef f():\n\n    return 1\n```",
    "```\nplain",
    "~~~\n```\n~~~",
    "   ```js\n   let a\n   ```",
    "- item\n\n  ```\n  code in item\n  ```",
    "> quote\nlazy",
    "> > nested\n> - list in quote",
    "| a | b |\n|---|:-:|\n| 1 | **2** |",
    "text before\n| a |\n|---|\n| 1 |",
    "    indented code",
    "---",
    "***",
    "Setext\n===",
    "para\n---",
    "[ref]: https://example.org",
    '[ref] and [text](https://example.org "t") and ![alt](x.png)',
    "<b>html</b> &amp; <https://example.org>",
    "line  \nbreak\\\nbreak",
    "中文**粗体**，`代码`。",
    "שלום\n\n- שלום",
    "\ttab",
    " - indented item",
    "-",
    "#",
    "``` `",
    "\\*not\\*",
]
FRAGMENT = st.one_of(st.sampled_from(BLOCKS), st.text("ab `*_[]()|>#-+1.~\\!\n\t", max_size=24))
MARKDOWN = st.lists(
    st.tuples(FRAGMENT, st.sampled_from(["\n\n", "\n", "\n\n\n", "\r\n", " "])), max_size=8
).map(lambda pairs: "".join(fragment + gap for fragment, gap in pairs))
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def picture(document: QTextDocument, writer: Writer) -> tuple:
    """Return all that is to be seen."""
    return document.toHtml(), writer.marks


def at_once(source: str, style: Style) -> tuple:
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    stream.feed(source)
    stream.finish()
    return picture(document, stream.writer)


def in_pieces(pieces: list[str], style: Style) -> tuple:
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    for piece in pieces:
        stream.feed(piece)
        stream.flush()
    stream.finish()
    return picture(document, stream.writer)


def cut(source: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(source) + 1) for place in places} | {0, len(source)})
    return [source[start:end] for start, end in pairwise(ends)]


@QUICK
@given(source=MARKDOWN, places=st.lists(st.integers(0, 10_000), max_size=30))
def test_any_pieces_of_a_stream_look_like_one_shot(style, source, places):
    assert in_pieces(cut(source, places), style) == at_once(source, style)


@QUICK
@given(source=MARKDOWN)
def test_one_shot_looks_like_the_whole_source_parsed_at_once(style, source):
    document = QTextDocument()
    writer = Writer(document, style)
    writer.write(parser().parse(source))
    assert at_once(source, style) == picture(document, writer)


@pytest.mark.parametrize("unit", ["word ", "line of text\n", "> quoted\n", "中", "- item\n  more\n"])
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.integers(0, 1_000_000), max_size=6))
def test_blocks_without_end_are_cut_at_the_same_places(style, unit, places):
    source = unit * (3 * LONGEST_BLOCK // len(unit)) + "\n\n# After\n\ntext"
    assert in_pieces(cut(source, places), style) == at_once(source, style)


def test_long_answers_keep_every_word(style):
    source = "".join(
        f"{BLOCKS[number % len(BLOCKS)]}\n\nparagraph {number}\n\n"
        for number in range(1000)
        if number % 31 != 24
    )
    document = QTextDocument()
    writer = Writer(document, style)
    writer.write(parser().parse(source))
    assert at_once(source, style) == picture(document, writer)


def test_a_step_takes_on_a_slice(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    stream.feed("A paragraph of text.\n\n" * 2000)
    sizes = []
    while not stream.step(final=True):
        sizes.append(document.characterCount())
    grown = [after - before for before, after in pairwise(sizes)]
    assert max(grown) <= SLICE


def changes(document: QTextDocument) -> list[tuple[int, int, int]]:
    seen: list[tuple[int, int, int]] = []
    document.documentLayout()  # without one, nobody is told
    document.contentsChange.connect(lambda *change: seen.append(change))
    return seen


def test_only_the_last_block_is_written_again(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    stream.feed("A first paragraph that is done.\n\nA second one that is")
    stream.flush()
    seen = changes(document)
    stream.feed(" growing")
    stream.flush()
    second = document.findBlockByNumber(1).position()
    assert document.findBlockByNumber(1).text() == "A second one that is growing"
    assert min(position for position, removed, added in seen) >= second - 1


def test_only_the_last_item_of_a_list_is_written_again(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    stream.feed("1. one\n2. two\n1. three and")
    stream.flush()
    seen = changes(document)
    stream.feed(" more")
    stream.flush()
    assert [document.findBlockByNumber(number).text() for number in range(3)] == [
        "1.\tone",
        "2.\ttwo",
        "3.\tthree and more",
    ]
    assert min(position for position, removed, added in seen) >= document.findBlockByNumber(2).position() - 1


def test_an_open_fence_only_grows(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    stream.feed("```python\ndef f():\n    return")
    stream.flush()
    seen = changes(document)
    stream.feed(" 1\n    # ")
    stream.flush()
    stream.feed("more")
    stream.flush()
    assert sum(removed for position, removed, added in seen if removed > 1) <= document.characterCount()
    assert stream.writer.marks.cards[0].code == "def f():\n    return 1\n    # more"
    assert stream.in_fence


def test_a_fence_stays_open_over_blank_lines_and_shorter_fences(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    for piece in ("````\na\n", "\n", "```", "\nb\n", "````\n", "after"):
        stream.feed(piece)
        stream.flush()
    stream.finish()
    assert [card.source for card in stream.writer.marks.cards] == ["a\n\n```\nb"]
    assert document.lastBlock().text() == "after"


def test_a_closing_fence_never_shows_while_it_forms(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    for piece in "```\ncode\n```":
        stream.feed(piece)
        stream.flush()
        assert "`" not in document.toPlainText()


def test_line_ends_of_all_systems_are_one(style):
    pieces = ["# a\r", "\nb\r", "\rc\n"]
    assert in_pieces(pieces, style) == at_once("# a\nb\n\nc\n", style)


def test_a_link_that_is_defined_later_works_after_the_end(style):
    document = QTextDocument()
    stream = MarkdownStream(document, style)
    stream.feed("See [the page].\n\n" + "text\n\n" * 3)
    stream.flush()
    assert "href" not in document.toHtml()
    stream.feed("[the page]: https://example.org/late")
    stream.finish()
    assert 'href="https://example.org/late"' in document.toHtml()
    assert "[the page]:" not in document.toPlainText()


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("text\n``", "text\n"),
        ("text\n```py", "text\n"),
        ("text\n-", "text\n"),
        ("text\n12.", "text\n"),
        ("##", ""),
        ("**", ""),
        ("| a | b", ""),
        ("text\n| a |\n|--", "text"),
        ("| a |\n|---|\n| 1 |", "| a |\n|---|\n| 1 |"),
        ("a **bold", "a **bold**"),
        ("a **bold *both", "a **bold *both***"),
        ("a **", "a "),
        ("a **bold*", "a **bold**"),
        ("a `code", "a `code`"),
        ("a `co**de", "a `co**de`"),
        ("a ~~gone", "a ~~gone~~"),
        ("a **bold\n", "a **bold**"),
        ("2*3 = 6", "2*3 = 6"),
        ("2 * 3", "2 * 3"),
        ("snake_case", "snake_case"),
        ("see [text](https://exa", "see text"),
        ("an array[0]", "an array[0]"),
        ("**done** and", "**done** and"),
        ("- ```\n  a **b", "- ```\n  a **b"),
        ("first **open\n\nsecond", "first **open\n\nsecond"),
    ],
)
def test_the_end_of_a_stream_is_presentable(source, shown):
    assert presentable(source) == shown


@QUICK
@given(source=MARKDOWN)
def test_what_is_presented_leaves_out_and_adds_only_markers(source):
    source = source.replace("\r", "")
    letters = re.compile(r"[a-zA-Z中文粗体代码]")
    shown, whole = letters.findall(presentable(source)), letters.findall(source)
    assert shown == whole[: len(shown)]
