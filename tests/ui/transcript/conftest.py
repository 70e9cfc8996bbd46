"""Real widgets, offscreen, dressed as in the window."""

from collections.abc import Callable

import pytest
from transcript_stage import Stage, chat

from app.ui.appearance import Appearance
from app.ui.theme import LIGHT
from app.ui.transcript.body import Body
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.message import Row
from app.ui.transcript.style import Style


@pytest.fixture
def style(appearance: Appearance) -> Style:
    return Style(LIGHT)


@pytest.fixture
def body(style: Style, qtbot) -> Body:
    """An empty text, 640 pixels wide."""
    highlighter = Highlighter()
    made = Body(style, highlighter)
    highlighter.setParent(made)
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.show()
    return made


@pytest.fixture
def stage(appearance: Appearance, qtbot) -> Stage:
    return Stage(qtbot)


@pytest.fixture
def rows() -> Callable[[int], list[Row]]:
    return chat
