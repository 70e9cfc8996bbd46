"""The real window over a real database, with a scripted engine and the real starter model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from scripted_engine import ScriptedEngine

from app.domain.changes import Changes
from app.domain.model import Model
from app.services.adoption import Adoption
from app.services.backups import Backups
from app.services.budget import Budgets
from app.services.choices import ModelChoices
from app.services.contacts import Contacts
from app.services.conversation import Conversation
from app.services.discovery import Discovery
from app.services.downloads import Downloads
from app.services.exporting import Exporting
from app.services.history import History
from app.services.hubs import Hubs
from app.services.importing import Importing
from app.services.incognito import Incognito
from app.services.inspection import Inspection
from app.services.keeping import Keeping
from app.services.long_reading import LongReadings
from app.services.model_facts import ModelFacts
from app.services.models import Models
from app.services.network import Network
from app.services.preferences import Preferences
from app.services.prospects import Prospects
from app.services.recommendations import Recommendations
from app.services.snapshots import Snapshots
from app.services.trash import TrashCan
from app.storage.chats import ChatStore
from app.storage.contact_file import ContactFile
from app.storage.database import Database
from app.storage.downloads import DownloadStore
from app.storage.folders import Folders
from app.storage.incognito import IncognitoStore
from app.storage.preferences import PreferenceStore
from app.storage.uses import UseStore
from app.storage.whole_chats import WholeChats
from app.ui.appearance import Appearance
from app.ui.assets import asset
from app.ui.main_window import MainWindow
from app.ui.pdf import print_pdf
from app.ui.post import Poster
from app.ui.theme import LIGHT
from app.ui.window_memory import WindowMemory
from models_registry.library import Library


@pytest.fixture
def appearance(qapp: QApplication) -> Iterator[Appearance]:
    owner = QObject()
    made = Appearance(qapp, owner)
    made.use(LIGHT)
    yield made
    owner.deleteLater()


class Fireside:
    """One start of the app in a folder of its own."""

    def __init__(self, home: Path, qtbot) -> None:
        self.qtbot = qtbot
        self.home = home
        self.poster = Poster()
        self.changes = Changes(self.poster.post)
        self.database = Database(home / "chats.db")
        self.store = ChatStore(self.database, self.changes)
        whole_chats = WholeChats(self.database, self.changes, self.store.undo)
        self.importing = Importing(whole_chats)
        self.exporting = Exporting(whole_chats, asset("formats/page.css"), print_pdf)
        self.engine = ScriptedEngine(self.changes)
        self.history = History(self.store)
        self.conversation = Conversation(self.store, self.engine, self.poster.post, self.poster.report)
        hidden = IncognitoStore(self.store, whole_chats, self.changes)
        self.incognito = Incognito(hidden, self.conversation)
        self.budgets = Budgets(
            self.store,
            self.engine,
            self.poster.post,
            self.conversation.errands,
            self.conversation.extensions,
        )
        library = Library(home / "models")
        self.models = Models(library, self.engine, self.changes, self.store.fill_sha256)
        self.facts = ModelFacts(self.models, UseStore(self.database))
        kept = PreferenceStore(self.database)
        self.preferences = Preferences(kept)
        self.choices = ModelChoices(kept)
        self.inspection = Inspection(Folders.at(home))
        self.contacts = Contacts(ContactFile(home / "network.jsonl"), self.changes)
        self.hubs = Hubs(kept, self.contacts.log)
        self.discovery = Discovery(self.hubs)
        self.downloads = Downloads(
            DownloadStore(self.database, self.changes),
            home / "models",
            self.changes,
            self.hubs.hub,
            self.models.arrived,
        )
        self.recommendations = Recommendations(self.discovery, self.downloads)
        self.prospects = Prospects(self.hubs, self.discovery, self.downloads)
        self.network = Network(self.hubs, kept, self.downloads.throttle)
        self.snapshots = Snapshots(Folders.at(home))
        self.trash = TrashCan(self.store, self.engine, self.snapshots)
        self.backups = Backups(self.database, self.store.undo, self.changes, self.poster.report)
        self.keeping = Keeping(kept, self.engine)
        self.long_readings = LongReadings(
            self.engine, self.models.identified, home, asset("reading/time-machine.txt")
        )
        self.adoption = Adoption(kept, self.models)
        self.window = MainWindow(
            poster=self.poster,
            history=self.history,
            incognito=self.incognito,
            importing=self.importing,
            exporting=self.exporting,
            conversation=self.conversation,
            budgets=self.budgets,
            models=self.models,
            facts=self.facts,
            changes=self.changes,
            preferences=self.preferences,
            choices=self.choices,
            inspection=self.inspection,
            downloads=self.downloads,
            recommendations=self.recommendations,
            adoption=self.adoption,
            discovery=self.discovery,
            prospects=self.prospects,
            network=self.network,
            contacts=self.contacts,
            snapshots=self.snapshots,
            trash=self.trash,
            keeping=self.keeping,
            backups=self.backups,
            long_readings=self.long_readings,
            memory=WindowMemory(home / "window.ini"),
        )
        qtbot.addWidget(self.window)

    @property
    def page(self):
        return self.window.page

    @property
    def composer(self):
        return self.window.page.composer

    @property
    def chat(self):
        return self.window.page.chat

    @property
    def chats(self):
        return self.window.sidebar.view.chats

    def show(self, *, models: bool = True) -> "Fireside":
        with self.qtbot.waitSignal(self.window.first_painted):
            self.window.show()
        self.window.load()
        if models:
            self.models.refresh()
            self.qtbot.waitUntil(lambda: bool(self.models.known) and self.chat.model is not None)
        self.preferences.open_chat().result(10)
        self.settle()
        return self

    def settle(self) -> None:
        """Let everything arrive that is on its way from the database."""
        for _ in range(3):
            self.database.write(lambda db: None).result(10)
            self.database.read(lambda db: None).result(10)
            self.qtbot.wait(1)
            QApplication.processEvents()

    def titles(self) -> list[str]:
        return [self.chats.index(row).data() for row in range(self.chats.rowCount())]

    def say(self, text: str) -> None:
        """Write and send as a person does, and wait until it has gone."""
        self.composer.fill(text, text)
        self.composer.submit()
        self.qtbot.waitUntil(lambda: self.composer.text == "")
        self.settle()

    def shown(self) -> list[str]:
        """Return the texts of the messages on screen."""
        return [message.text for message in self.chat.state.path(self.chat.lives)]

    def close(self) -> None:
        if not shiboken6.isValid(self.poster):
            return
        self.window.close()
        self.conversation.close()
        self.importing.close()
        self.exporting.close()
        self.inspection.close()
        self.long_readings.close()
        self.recommendations.close()
        self.downloads.close()
        self.discovery.close()
        self.prospects.close()
        self.network.close()
        self.contacts.close()
        self.snapshots.close()
        self.models.close()
        self.backups.close()
        QApplication.processEvents()
        self.incognito.close()
        self.database.close()
        shiboken6.delete(self.poster)  # nothing that is still on its way may reach what is closed


@pytest.fixture
def start(tmp_path: Path, qtbot) -> Iterator[Callable[[], Fireside]]:
    """Start Fireside; once more is another start over the same folder."""
    started: list[Fireside] = []

    def start_fireside() -> Fireside:
        started.append(Fireside(tmp_path, qtbot))
        return started[-1]

    yield start_fireside
    for fireside in started:
        fireside.close()


@pytest.fixture
def fireside(start) -> Fireside:
    return start().show()


@pytest.fixture
def second_model(smollm2: Path, tmp_path: Path) -> Path:
    """Another file that is a model by its header; its weights are a hole."""
    path = tmp_path / "elsewhere" / "Second-Model-Q4_1.gguf"
    path.parent.mkdir()
    with smollm2.open("rb") as source, path.open("wb") as target:
        target.write(source.read(4 << 20))
        target.truncate(smollm2.stat().st_size)
    return path


@pytest.fixture
def model_of() -> Callable[[Fireside, str], Model]:
    def find(fireside: Fireside, name: str) -> Model:
        return next(model for model in fireside.models.known if name in model.path.name)

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the offscreen platform say what it cannot do; every other warning of Qt fails the test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support", extend=True))
