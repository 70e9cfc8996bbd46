"""Pictures of every screen, light and dark, from the real window with the real starter model.

Started by `dev.py shots DIR`, which gives it a FIRESIDE_HOME of its own; QT_SCALE_FACTOR=2 doubles
the pixels.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtWidgets import QApplication, QScrollArea

from app.domain import language
from app.domain.chat import Message, ModelIdentity, Status
from app.domain.errors import UserError
from app.domain.generation import Stats, StopReason
from app.domain.settings import Settings
from app.main import Build, make_window
from app.services.contacts import DONE, Purpose
from app.storage.folders import Folders
from app.ui.application import make_application
from app.ui.assets import asset
from app.ui.inspector.section import Fold
from app.ui.library.sheet import LibrarySheet
from app.ui.post import Poster
from app.ui.settings.sheet import SettingsSheet
from app.ui.sheet import Sheet
from app.ui.theme import DARK, LIGHT
from app.ui.transcript.answer import Answer
from app.ui.transcript.view import TranscriptView

T = TypeVar("T")

QUESTION = "What is a campfire? Answer in one sentence."

BINARY_SEARCH = """\
Open a paper dictionary in the middle, see whether your word comes before or after, and throw away the \
half where it cannot be. Every look **halves** what is left.

```python
def find(items: list[int], wanted: int) -> int | None:
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == wanted:
            return middle            # found it
        if items[middle] < wanted: low = middle + 1
        else: high = middle - 1
```

| Items | Looks, one by one | Looks, by halves |
|---|---|---|
| 100 | up to 100 | 7 |
| 1,000,000 | up to 1,000,000 | 20 |
"""

DINNER = """三个素菜，半小时就能上桌：

1. **番茄炒豆腐**：豆腐先煎到两面金黄，再和番茄一起煮五分钟。
2. **蒜蓉西兰花**：焯水一分钟，热锅快炒。
3. **凉拌黄瓜**：拍碎，加醋、生抽和一点*花椒油*。

> 米饭可以先煮上，菜做好时正好熟。
"""

REASONING = """\
The question sounds simple. Light from the sun holds all colours. Air scatters short waves far more than \
long ones, with the fourth power of the frequency.

So blue comes from everywhere, and red keeps its way. Violet is scattered even more, but there is less of \
it, and eyes see it badly.
"""

SKY = """\
Air scatters the blue part of sunlight far more than the red one, so blue reaches your eyes from the whole \
sky. At sunset the light has come a longer way through the air: most of the blue is gone, and **red** is left.
"""

TITLES = (
    *("Letter to the landlord", "Budget for next year", "Questions for the interview", "周末去哪儿"),
    *("Why is the sky blue?", "Beds, seeds, and what to sow when", "Old thoughts", "A poem about an owl"),
)

# Who said what, and how each answer ended: chats that a person might have had.
CHATS = (
    ("Write a bedtime story about a fox who could not sleep", "Once upon a time", Status.INTERRUPTED),
    ("晚饭做什么：三个素菜", DINNER, Status.COMPLETE),
    ("Explain binary search to a beginner, then show it in Python.", BINARY_SEARCH, Status.COMPLETE),
)

# What might have been asked over the network, and of whom.
CONTACTS = (
    (Purpose.SEARCH, ("hub.example",)),
    (Purpose.PAGE, ("hub.example",)),
    (Purpose.HEADER, ("hub.example", "files.hub.example")),
    (Purpose.FILE, ("hub.example", "files.hub.example")),
)


class Studio:
    """The window, and what it takes to have it in the state that a picture needs."""

    def __init__(self, application: QApplication, folder: Path) -> None:
        """Open the window and wait until the starter model is loaded."""
        self._application, self._folder = application, folder
        self.poster = Poster()
        self.build = Build(Folders.at(None), self.poster.post, self.poster.report)
        self.window = make_window(self.build, self.poster)
        self.window.first_painted.connect(self.build.begin)
        self.window.first_painted.connect(self.window.load)
        self.window.show()
        self.models = self.build.services.models
        self.until(lambda: self.models.status.ready)

    def until(self, arrived: Callable[[], bool], seconds: float = 120) -> None:
        """Let the window live until `arrived`.

        Raises:
            TimeoutError: When that takes more than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not arrived():
            if time.monotonic() > deadline:
                raise TimeoutError
            self._application.processEvents()
            time.sleep(0.005)

    def rest(self, seconds: float = 0.4) -> None:
        """Let the window live for a moment, so that what moves comes to rest."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def result(self, future: "Future[T]") -> T:
        """Return what `future` brings, with the window alive meanwhile."""
        self.until(future.done)
        return future.result()

    def shoot(self, name: str) -> None:
        """Save the window as it is, light and dark."""
        for theme, palette in (("light", LIGHT), ("dark", DARK)):
            self.window.appearance.use(palette)
            self.rest()
            path = self._folder / f"{name}-{theme}.png"
            if not self.window.grab().save(str(path)):
                raise OSError(path)
            print(path)

    def say(self, text: str) -> None:
        """Send `text` in the open chat and wait for the first words of the answer."""
        self.window.page.composer.fill(text, text)
        self.window.page.composer.submit()
        self.until(lambda: (live := self.window.page.chat.live) is not None and len(live.text) > 20)

    def finish(self) -> None:
        """Wait for the end of every answer."""
        self.until(lambda: not self.build.services.conversation.live)
        self.rest()

    def remember(self, question: str, answer: str, status: Status, reasoning: str = "") -> Message:
        """Put a chat into the history; its answer is said to be the starter model's."""
        model = self.models.known[0]
        identity = ModelIdentity(model.name, model.sha256, str(model.path))
        started = self.build.store.start_turn(None, None, question, identity, Settings())
        self.until(started.done)
        reply = started.result().reply
        stats = Stats(StopReason.END, 664, 612, 241, 0.3, 7.8, 0.3, 418207, 8192)
        ended = stats if status is Status.COMPLETE else None
        finishing = self.build.store.finish(
            reply.id, answer, status, ended, "", reasoning=reasoning, reasoning_seconds=12.0
        )
        self.result(finishing)
        return reply

    def answer(self) -> Answer:
        """Return the widget of the answer that is shown last."""
        rows = self.window.page.findChild(TranscriptView).live_rows()
        return [row for _id, row in sorted(rows.items()) if isinstance(row, Answer)][-1]

    def ask(self, what: str) -> None:
        """Choose `what` for the answer that is shown last, and wait for the sheet that it opens."""
        self.answer().asked.emit(what)
        self.until(lambda: any(sheet.isVisible() for sheet in self.window.findChildren(Sheet)))
        self.rest()

    def close_sheet(self) -> None:
        """Close the sheet that is open."""
        for sheet in self.window.findChildren(Sheet):
            sheet.close_card()
        self.rest()

    def open(self, chat_id: int) -> None:
        """Show a chat."""
        self.window.page.chat.open(chat_id)
        self.until(lambda: self.window.page.chat.id == chat_id)
        self.rest()


def take(studio: Studio) -> None:
    """Take every picture, from the first start on."""
    window = studio.window
    studio.until(window.first_run.isVisible)
    studio.shoot("first")
    studio.say(QUESTION)
    studio.shoot("streaming")
    studio.finish()
    studio.shoot("answer")

    interrupted, dinner, main = [studio.remember(*chat) for chat in CHATS]
    studio.open(main.chat_id)
    studio.shoot("main")
    window.actions_by_name["choose-model"].trigger()
    studio.shoot("picker")
    window.actions_by_name["choose-model"].trigger()
    window.actions_by_name["edit-last"].trigger()
    studio.shoot("editing")
    window.actions_by_name["stop"].trigger()

    studio.open(dinner.chat_id)
    studio.shoot("chinese")
    studio.open(interrupted.chat_id)
    studio.shoot("interrupted")
    studio.poster.report(
        UserError(
            "Your disk is full, so Fireside cannot save your chats.",
            "Free some space on the disk.",
            "retry-save",
        )
    )
    studio.shoot("notice")
    window.actions_by_name["stop"].trigger()
    window.actions_by_name["new-chat"].trigger()
    studio.shoot("new")

    studio.open(main.chat_id)
    window.resize(640, 480)
    studio.shoot("narrow")
    window.resize(1680, 1000)
    studio.shoot("wide")


def take_details(studio: Studio) -> None:
    """Take the pictures of what one answer can show: thoughts, prompt, probabilities, versions."""
    window = studio.window
    thinking = studio.remember("Why is the sky blue, and the sunset red?", SKY, Status.COMPLETE, REASONING)
    studio.open(thinking.chat_id)
    studio.shoot("thought")
    studio.answer().unfold()
    studio.shoot("thought-open")
    studio.ask("prompt")
    studio.shoot("prompt")
    window.resize(640, 480)
    studio.shoot("prompt-narrow")
    studio.close_sheet()
    studio.shoot("thought-narrow")
    window.resize(1180, 780)

    settings = Settings(probabilities=6, max_tokens=80)
    conversation, model = studio.build.services.conversation, studio.models.known[0]
    sent = conversation.send(None, None, "Explain in simple words why the sky is blue.", model, settings)
    studio.until(sent.done)
    studio.until(lambda: bool(conversation.live))
    studio.until(lambda: not conversation.pump() and not conversation.live)
    studio.open(sent.result().chat.id)
    studio.ask("probabilities")
    studio.shoot("probabilities")
    window.resize(640, 480)
    studio.shoot("probabilities-narrow")
    studio.close_sheet()
    window.resize(1180, 780)
    studio.answer().asked.emit("versions")
    lives = conversation.live.values
    studio.until(lambda: len(lives()) == 3 and all(len(live.text) > 60 for live in lives()))
    studio.shoot("versions")
    studio.finish()


def take_inspector(studio: Studio) -> None:
    """Take the pictures of what can be set for the model, folded and unfolded, beside and over the page."""
    window = studio.window
    inspector, toggle = window.inspector, window.actions_by_name["inspector"]
    main = studio.remember(*CHATS[-1])
    studio.open(main.chat_id)
    toggle.trigger()
    studio.until(lambda: inspector.complete and inspector.desk.outlook is not None)
    studio.shoot("inspector")
    scroll = inspector.findChild(QScrollArea).verticalScrollBar()
    scroll.setValue(scroll.maximum())
    studio.shoot("inspector-end")
    for fold in inspector.findChildren(Fold):
        fold.button.click()
    studio.rest()
    for place in range(0, scroll.maximum() + scroll.pageStep(), scroll.pageStep()):
        scroll.setValue(place)
        studio.shoot(f"inspector-advanced-{place // scroll.pageStep() + 1}")
    scroll.setValue(0)
    window.resize(640, 480)
    studio.rest()
    toggle.trigger()
    studio.shoot("inspector-narrow")
    toggle.trigger()
    window.resize(1180, 780)


def take_library(studio: Studio) -> None:
    """Take the pictures of the models that are here: all of them, and one."""
    window = studio.window
    window.actions_by_name["library"].trigger()
    studio.rest(1.0)
    studio.shoot("library")
    sheet = window.findChildren(LibrarySheet)[-1]
    sheet.list.list.clicked.emit(sheet.list.rows.index(0))
    studio.shoot("library-model")
    window.resize(640, 480)
    studio.shoot("library-model-narrow")
    sheet.back.click()
    studio.shoot("library-narrow")
    studio.close_sheet()
    window.resize(1180, 780)


def take_settings(studio: Studio) -> None:
    """Take the pictures of every section of the settings, and of the list of connections."""
    window = studio.window
    window.actions_by_name["settings"].trigger()
    sheet = window.findChildren(SettingsSheet)[-1]
    for number in range(len(sheet.tabs)):
        sheet.show_section(number)
        studio.until(lambda: sheet.page().complete)
        studio.shoot(f"settings-{number + 1}")
    window.resize(640, 480)
    sheet.show_section(1)
    studio.shoot("settings-narrow")
    studio.close_sheet()
    window.resize(1180, 780)
    window.actions_by_name["network"].trigger()
    studio.shoot("network-none")
    for purpose, hosts in CONTACTS:
        with studio.build.services.contacts.log.visit(purpose) as visit:
            for host in hosts:
                visit.reach(f"https://{host}/")
            visit.receive(4_920_739_232 if purpose is Purpose.FILE else 31_000)
            visit.end(DONE)
    studio.shoot("network")
    studio.close_sheet()


def take_history(studio: Studio) -> None:
    """Take the pictures of chats put in order, chosen together, and of what was deleted."""
    window, history = studio.window, studio.build.services.history
    organising, view = history.organising, window.sidebar.view
    ids = [studio.remember(title, SKY, Status.COMPLETE).chat_id for title in TITLES]
    work = studio.result(organising.new_folder("Work", ids[:3]))
    studio.result(organising.new_folder("家", ids[3:4]))
    studio.result(organising.tag(ids[1:2], "money"))
    studio.result(organising.tag(ids[4:6], "garden"))
    studio.result(organising.pin(ids[5:6], True))
    studio.result(organising.archive(ids[6:7], True))
    studio.result(organising.delete(ids[7:]))
    window.sidebar.view.chats.wish(opened=[str(work.id)])
    studio.open(ids[4])
    studio.shoot("organised")
    view.selectionModel().select(
        view.chats.rows_of(ids[:2] + ids[4:5]), QItemSelectionModel.SelectionFlag.Select
    )
    studio.shoot("chosen")
    view.clearSelection()
    studio.result(history.delete_branch(window.page.chat.state.path({})[1].id))
    window.actions_by_name["deleted"].trigger()
    studio.rest()
    studio.shoot("deleted")
    window.resize(640, 480)
    studio.shoot("deleted-narrow")
    studio.close_sheet()
    window.resize(1180, 780)


def take_files(studio: Studio) -> None:
    """Take the pictures of chats on their way out and in."""
    window = studio.window
    main = studio.remember(*CHATS[-1])
    studio.open(main.chat_id)
    window.actions_by_name["export-chat"].trigger()
    studio.shoot("export")
    studio.close_sheet()
    window.actions_by_name["import-chats"].trigger()
    studio.shoot("import")
    said = [{"from": who, "value": text} for who, text in (("human", QUESTION), ("gpt", SKY))]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "chats.jsonl")
        path.write_text(json.dumps({"conversations": said}) + '\n{"conversations": 5', encoding="utf-8")
        window.files.take([path])
        studio.until(lambda: not window.files.busy)
    studio.shoot("import-found")
    window.resize(640, 480)
    studio.shoot("import-narrow")
    studio.close_sheet()
    window.resize(1180, 780)


def main() -> int:
    """Write the pictures into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    language.install(asset("translations"))
    Folders.at(None).create()
    studio = Studio(make_application(sys.argv[:1]), folder)
    try:
        take(studio)
        take_details(studio)
        take_inspector(studio)
        take_library(studio)
        take_settings(studio)
        take_history(studio)
        take_files(studio)
    finally:
        studio.window.close()
        studio.build.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
