"""What is looked for in a chat is counted in its texts and marked in what is shown."""

import re

import pytest
from PySide6.QtGui import QTextCursor

from app.domain.chat import Message, Role, Status
from app.domain.search_text import parse, part, pattern
from app.domain.shown_text import shown_text
from app.ui.theme import LIGHT
from app.ui.transcript.message import Row
from app.ui.transcript.view import TranscriptView


def rows(*texts: str, writing: bool = False) -> list[Row]:
    made = []
    for number, text in enumerate(texts, 1):
        role = Role.USER if number % 2 else Role.ASSISTANT
        last = writing and number == len(texts)
        status = Status.WRITING if last else Status.COMPLETE
        made.append(Row(Message(number, 1, number - 1 or None, role, text, status), 1, (number,)))
    return made


@pytest.fixture
def view(qtbot) -> TranscriptView:
    made = TranscriptView(LIGHT)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


def settled(qtbot, view: TranscriptView) -> None:
    qtbot.waitUntil(lambda: view._building.idle and not view.finding.counting)
    qtbot.wait(20)


def marked(view: TranscriptView) -> dict[int, list[str]]:
    """Return what is marked in each row that is alive."""
    found = {}
    for id_, widget in view.live_rows().items():
        texts = [each.cursor.selectedText() for each in widget.body.extraSelections()]
        if texts:
            found[id_] = texts
    return found


def current_top(view: TranscriptView) -> int:
    """Return how far below the top of what is visible the current match lies."""
    id_, nth = view.finding._current
    body = view.live_rows()[id_].body
    selections = body.extraSelections()
    cursor = QTextCursor(selections[nth].cursor)
    cursor.setPosition(cursor.selectionStart())
    return body.mapTo(view.viewport(), body.cursorRect(cursor).topLeft()).y()


def test_all_matches_are_counted_and_marked(qtbot, view):
    view.set_rows(
        rows("An ember?", "The **ember** is an `ember`: [Ember](https://ember.org)", "余烬 ember 余烬", "no")
    )
    view.finding.look_for(part("ember"))
    settled(qtbot, view)
    assert (view.finding.total, view.finding.place) == (5, 1)
    assert marked(view) == {1: ["ember"], 2: ["ember", "ember", "Ember"], 3: ["ember"]}
    view.finding.look_for(part("余烬"))
    settled(qtbot, view)
    assert (view.finding.total, marked(view)) == (2, {3: ["余烬", "余烬"]})
    view.finding.look_for(None)
    assert (view.finding.total, view.finding.place, marked(view)) == (0, 0, {})


def test_the_next_match_is_gone_to_around_the_end(qtbot, view):
    texts = [f"message {number}\n\n" + "filler words here. " * 60 for number in range(120)]
    texts[10] += "the needle"
    texts[70] = "needle " + texts[70] + " needle"
    view.set_rows(rows(*texts))
    view.finding.look_for(part("needle"))
    settled(qtbot, view)
    assert (view.finding.total, view.finding.place) == (3, 1)  # all lie above what is visible: the first
    assert 11 in marked(view)
    places = []
    for _ in range(4):
        view.finding.step(1)
        settled(qtbot, view)
        places.append((view.finding._current, view.finding.place))
        assert 0 <= current_top(view) < view.viewport().height() - 20
    assert places == [((71, 0), 2), ((71, 1), 3), ((11, 0), 1), ((71, 0), 2)]
    view.finding.step(-1)
    settled(qtbot, view)
    assert view.finding.place == 1


def test_a_text_that_grows_is_counted_on(qtbot, view):
    view.set_rows(rows("Say ember", "An ember", writing=True))
    view.finding.look_for(part("ember"))
    settled(qtbot, view)
    assert view.finding.total == 2
    view.append_stream(2, " and another ember, and half an emb")
    assert marked(view)[2] == ["ember", "ember"]
    view.append_stream(2, "er")
    qtbot.waitUntil(lambda: view.finding.total == 4)
    assert view.finding.place == 1
    assert len(marked(view)[2]) == 3
    (_asked, answer) = rows("Say ember", "An ember and that is all")
    view.finish_stream(answer)
    qtbot.waitUntil(lambda: view.finding.total == 2)


def test_a_folded_question_unfolds_for_a_match(qtbot, view):
    view.set_rows(rows("line\n" * 80 + "the needle", "fine"))
    view.finding.look_for(part("needle"))
    settled(qtbot, view)
    assert not view.live_rows()[1].folded
    assert marked(view) == {1: ["needle"]}
    assert 0 <= current_top(view) < view.viewport().height()


def test_words_of_a_search_are_marked_in_one_message_alone(qtbot, view):
    view.set_rows(rows("ember and ash", "An **ember**, and 𠀀 white ash", "ash"))
    view.finding.look_for(pattern(parse("ash ember")), only=2)
    settled(qtbot, view)
    assert marked(view) == {2: ["ember", "ash"]}
    view.set_palette_tokens(LIGHT)
    view.set_text_scale(1.2)
    settled(qtbot, view)
    assert marked(view) == {2: ["ember", "ash"]}


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("## A *title*\n\n- **bold** and `snake_case_name`", "A title\n\nbold and snake_case_name"),
        ("[a link](https://x.org/a_(b)) ![picture](x.png)", "a link picture"),
        ("```python\n# a *comment* __init__\n```\nafter", "# a *comment* __init__\n\nafter"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "| a | b |\n| 1 | 2 |"),
        ("2 \\* 3 &lt; 7", "2 * 3 < 7"),
        ("~~~\nopen *code*", "open *code*"),
    ],
)
def test_the_words_of_markdown(markdown, words):
    assert shown_text(markdown) == words


def test_what_is_typed_is_found_in_parts_of_words_and_whatever_it_is():
    assert re.findall(part("AFÉ"), "cafe CAFÉ") == ["afe", "AFÉ"]
    assert part("a  b").search("a\nb")
    assert part("(*").search("f(*x)")
    assert part("  ") is None
