"""The window is killed in the middle of an answer; the next start has every word and goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.loop import Loop
from app.domain.chat import Status
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.main import Build
from app.storage.folders import Folders

pytestmark = pytest.mark.real_model

WINDOW = """
import sys
from app import main
from app.services.conversation import Conversation
from app.ui import application

pump, run = Conversation.pump, application.run

def pump_and_tell(self):
    updates = pump(self)
    for update in updates:
        sys.stdout.write(update.text + "\\x1e")
        sys.stdout.flush()
    return updates

def run_and_ask(qt, window, start):
    def ask():
        start()
        window.page.show_models()
        timer.start()
    def try_to_ask():
        if window.page.chat.model:
            timer.stop()
            window.page.chat.send("Write a very long story about a fox.", None)
    from PySide6.QtCore import QTimer
    timer = QTimer(interval=20)
    timer.timeout.connect(try_to_ask)
    return run(qt, window, ask)

Conversation.pump = pump_and_tell
application.run = run_and_ask
sys.exit(main.main([]))
"""


def test_what_was_shown_is_there_and_the_answer_can_be_continued(tmp_path: Path) -> None:
    environment = os.environ | {"FIRESIDE_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    process = subprocess.Popen(
        [sys.executable, "-c", WINDOW], env=environment, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    shown = ""
    while len(shown) < 150:
        read = process.stdout.read(1)
        assert read, "the window ended by itself"
        shown += read
    process.kill()
    process.wait()
    shown += process.stdout.read()
    process.stdout.close()

    loop = Loop()
    problems: list[UserError] = []
    build = Build(Folders.at(tmp_path), loop.post, problems.append)
    try:
        (message_id,) = loop.result(build.store.recover())
        (chat,) = loop.result(build.services.history.chats())
        _chat, tree = loop.result(build.services.history.open(chat.id))
        answer = tree.messages[message_id]
        assert answer.status is Status.INTERRUPTED
        # The batch of the last 33 ms may have been shown while it was on its way to the disk.
        *batches, _last = shown.split("\x1e")
        assert answer.text.startswith("".join(batches[:-1]))
        assert answer.model is not None

        model = build.services.models.find(loop.result(build.services.models.refresh()), None)
        started = build.services.conversation.resume(answer, model, Settings(max_tokens=8, seed=1))
        loop.result(started)
        while build.services.conversation.live:
            build.services.conversation.pump()
            loop.tick()
        _chat, tree = loop.result(build.services.history.open(chat.id))
        whole = tree.messages[message_id]
        assert whole.text.startswith(answer.text)
        assert len(whole.text) > len(answer.text)
        assert whole.stats is not None
        assert whole.status is Status.CUT
        assert not problems
    finally:
        build.close()
