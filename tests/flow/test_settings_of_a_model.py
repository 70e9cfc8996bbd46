"""What is set in the window reaches the real model, and is stored with its answer and for the next start."""

from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.domain.chat import Role
from app.domain.settings import Settings
from app.main import Build, make_window
from app.storage.folders import Folders
from app.ui.inspector.sampling import Sampling
from app.ui.post import Poster

pytestmark = [pytest.mark.real_model, pytest.mark.qt_log_ignore("This plugin does not support", extend=True)]


@contextmanager
def window_over(folder: Path, qtbot):
    """Start Fireside over `folder`, with the inspector open."""
    folders = Folders.at(folder)
    folders.create()
    poster = Poster()
    build = Build(folders, poster.post, poster.report)
    window = make_window(build, poster)
    qtbot.addWidget(window)
    window.first_painted.connect(build.begin)
    window.first_painted.connect(window.load)
    window.show()
    qtbot.waitUntil(lambda: window.page.chat.model is not None)
    window.actions_by_name["inspector"].trigger()
    qtbot.waitUntil(lambda: window.inspector.complete and window.inspector.desk.outlook is not None)
    try:
        yield build, window
    finally:
        window.close()
        QApplication.processEvents()
        build.close()


def sampling(window) -> Sampling:
    return next(each for each in window.inspector.sections if isinstance(each, Sampling))


def test_settings_reach_the_model_its_answer_and_the_next_start(tmp_path: Path, qtbot) -> None:
    with window_over(tmp_path, qtbot) as (build, window):
        section = sampling(window)
        section.creativity.slider.setValue(0)
        section.sureness.switch.click()
        section.length.line.setText("4")
        section.length.line.setModified(True)
        section.length.commit()
        window.page.composer.fill("Say hello.", "Say hello.")
        window.page.composer.submit()
        qtbot.waitUntil(lambda: window.page.chat.last(Role.ASSISTANT) is not None)
        answered = build.services.conversation
        qtbot.waitUntil(lambda: not answered.live and not window.page.chat.sending, timeout=60_000)
        chat = window.page.chat.id
        _chat, tree = build.store.chat(chat).result(10)
        answer = tree.messages[max(tree.messages)]
        assert answer.settings == Settings(temperature=0, probabilities=5, max_tokens=4)
        assert answer.stats.samplers == ("greedy",)
        tokens = build.store.probabilities(answer.id).result(10)
        assert len(tokens) == 4
        assert all(len(token.top) == 5 for token in tokens)
    with window_over(tmp_path, qtbot) as (build, window):
        section = sampling(window)
        qtbot.waitUntil(lambda: section.sureness.switch.isChecked())
        assert section.creativity.slider.value() == 0
        assert section.length.line.text() == "4"
