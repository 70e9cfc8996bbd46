import threading

import pytest
from PySide6.QtGui import QTextBlock

from app.ui.theme import DARK, LIGHT
from app.ui.transcript.body import Body
from app.ui.transcript.highlight import LONGEST, SHORT, Highlighter, language_name
from app.ui.transcript.style import Style

CODE = 'def f(x):\n    return "é😀" + 1  # why'


@pytest.fixture
def highlighter(qtbot) -> Highlighter:
    return Highlighter()


def found(highlighter: Highlighter, qtbot, language: str, code: str):
    """Return the words of `code`, by line, as the worker finds them."""
    results = []
    highlighter.later(language, code, lambda code, words: results.append((threading.current_thread(), words)))
    qtbot.waitUntil(lambda: not highlighter.busy(), timeout=20_000)
    ((thread, words),) = results
    assert thread is threading.main_thread()
    return words


def test_words_are_found_with_their_kind_and_place(highlighter, qtbot):
    lines = found(highlighter, qtbot, "python", CODE)
    assert lines[0] == [(0, 3, "keyword"), (4, 1, "function")]
    assert (4, 6, "keyword") in lines[1]
    assert [kind for start, length, kind in lines[1]][-2:] == ["number", "comment"]
    comment = lines[1][-1]
    utf16 = CODE.split("\n")[1].encode("utf-16-le")  # what Qt counts in
    assert utf16[comment[0] * 2 : (comment[0] + comment[1]) * 2].decode("utf-16-le") == "# why"


def test_short_code_is_found_at_once_when_its_language_is_known(highlighter, qtbot):
    assert highlighter.now("python", "x = 1") is None
    found(highlighter, qtbot, "python", "y = 2")
    assert highlighter.now("Python", "x = 1")
    assert highlighter.now("python", "x = 1\n" * SHORT) is None


def test_long_code_comes_from_the_worker_once(highlighter, qtbot):
    code = "x = 1\n" * SHORT
    words = found(highlighter, qtbot, "python", code)
    assert len(words) >= SHORT
    assert highlighter.now("python", code) is words


@pytest.mark.parametrize(
    ("language", "code"), [("", "x"), ("nosuchlanguage", "x"), ("python", "x" * (LONGEST + 1))]
)
def test_some_code_stays_plain(highlighter, language, code):
    highlighter.later(language, code, lambda *result: pytest.fail("has words"))
    assert not highlighter.busy()


def test_languages_have_names():
    assert [language_name(each) for each in ("python", "cpp", "JS", "c#", "brand-new", "")] == [
        "Python",
        "C++",
        "JavaScript",
        "C#",
        "brand-new",
        "",
    ]


def colours(body: Body) -> dict[str, str]:
    """Return the coloured words of all text, with their colours."""
    seen = {}
    block: QTextBlock = body.document().begin()
    while block.isValid():
        for each in block.layout().formats():
            word = block.text()[each.start : each.start + each.length]
            seen[word] = each.format.foreground().color().name().upper()
        block = block.next()
    return seen


def test_cards_take_the_colours_of_the_palette(body, qtbot):
    body.show_markdown(
        "text\n\n```python\ndef f():\n    return None\n```\n\n- item\n\n  ```js\n  let a\n  ```"
    )
    body.flush()
    qtbot.waitUntil(lambda: {"def", "let"} <= set(colours(body)), timeout=20_000)
    assert colours(body)["def"] == LIGHT.syntax_keyword
    assert colours(body)["f"] == LIGHT.syntax_function
    body.restyle(Style(DARK))
    body.flush()
    assert colours(body)["def"] == DARK.syntax_keyword


def test_an_open_fence_is_coloured_as_it_grows(body, qtbot):
    body.show_markdown("```python\ndef f():\n", streaming=True)
    body.flush()
    qtbot.waitUntil(lambda: "def" in colours(body), timeout=20_000)
    body.append("    retu")

    def grow() -> bool:
        body.append("rn\n    return")
        return "return" in colours(body)

    qtbot.waitUntil(grow, timeout=20_000)
    body.append("\n```\n")
    body.finish()
    assert list(colours(body)).count("return") == 1


def test_code_is_coloured_again_when_late_links_move_it(body, qtbot):
    source = (
        "[a link][target] first\n\n```python\ndef f(): return None\n```\n\n[target]: https://example.org\n"
    )
    body.show_markdown("", streaming=True)
    for start in range(0, len(source), 9):
        body.append(source[start : start + 9])
    qtbot.waitUntil(lambda: "None" in colours(body), timeout=20_000)
    body.finish()
    assert body.toPlainText().startswith("a link first")
    qtbot.waitUntil(lambda: set(colours(body)) == {"def", "f", "return", "None"}, timeout=20_000)


def test_words_that_come_too_late_are_dropped(body, qtbot):
    body.show_markdown("```python\n" + "x = None\n" * 2000 + "```")
    body.flush()
    body.show_markdown("None of this is code")
    body.flush()
    qtbot.wait(300)
    assert colours(body) == {}
