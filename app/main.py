"""Builds every object and wires them: the only module that knows them all."""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_registry.library import Library

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.post import Poster

from app.cli.arguments import parser
from app.domain import language
from app.domain.backup import Reason
from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.language import _
from app.engine.trial import TRIAL, Trials
from app.engine.worker import Engine
from app.services import Services
from app.services.adoption import Adoption
from app.services.backups import Backups
from app.services.benchmark import Benchmark
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
from app.services.place import Place
from app.services.preferences import Preferences
from app.services.prospects import Prospects
from app.services.questions import Questions
from app.services.recommendations import Recommendations
from app.services.scrub import Scrub
from app.services.selftest import SELFTEST
from app.services.snapshots import Snapshots
from app.services.titles import Titles
from app.services.trash import TrashCan
from app.storage import writers
from app.storage.chats import ChatStore
from app.storage.contact_file import ContactFile
from app.storage.database import Database
from app.storage.downloads import DownloadStore
from app.storage.folders import Folders, InstanceLock
from app.storage.incognito import IncognitoStore
from app.storage.preferences import PreferenceStore
from app.storage.uses import UseStore
from app.storage.whole_chats import WholeChats
from app.ui.assets import asset

_USER_ERROR, _INTERRUPTED, _UNREAD = 3, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `fireside`; return its exit code.

    0: done. 2: wrong usage. 3: it could not be done, and a sentence said why. 130: interrupted.
    141: whoever read what it prints has gone, as `head` does.
    """
    try:
        code = _run(argv)
        if sys.stdout is not None:  # as in a window without a terminal
            sys.stdout.flush()  # at the exit it would be too late to catch what this raises
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes what is left
        return _UNREAD
    return code


def _run(argv: Sequence[str] | None) -> int:
    language.install(asset("translations"))
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == [TRIAL]:
        from app.engine import trial_process

        return trial_process.run(Path(words[1]), float(words[2]))
    if words == [SELFTEST]:
        return _selftest()
    # A file manager hands over nothing but the file that is to be opened.
    opened = Path(words.pop()).absolute() if len(words) == 1 and words[0].lower().endswith(".gguf") else None
    arguments = parser().parse_args(words)
    folders = Folders.at(arguments.home)
    try:
        folders.create()
        _start_log(folders.logs)
        return _terminal(arguments, folders) if arguments.command else _window(folders, opened)
    except UserError as error:
        from app.cli.output import report

        report(error)
        return _USER_ERROR
    except KeyboardInterrupt:
        return _INTERRUPTED


class Build:
    """All objects of one run but the window, in the order in which they need each other."""

    def __init__(
        self,
        folders: Folders,
        post: Callable[[Callable[[], None]], None],
        report: Callable[[UserError], None],
        make_engine: Callable[[Changes, Path, Trials, Path], Engine] = Engine,
    ) -> None:
        """Build them; no thread is started and no file is opened before it is needed.

        Args:
            folders: Where everything is kept.
            post: Runs a callable on the thread that shows things.
            report: Shows an error that nobody waits for.
            make_engine: Makes what answers, given where news goes, the file for its last words, what
                lets model files in, and the folder for what it keeps.
        """
        self._report = report
        self.changes = Changes(post)
        self.database = Database(folders.database)
        trials = Trials(folders.data / "trials", writers)
        self.engine = make_engine(self.changes, folders.logs / "crash.txt", trials, folders.data)
        self.store = ChatStore(self.database, self.changes)
        kept = PreferenceStore(self.database)
        preferences = Preferences(kept)
        models = Models(Library(folders.models), self.engine, self.changes, self.store.fill_sha256)
        contacts = Contacts(ContactFile(folders.logs / "network.jsonl"), self.changes)
        hubs = Hubs(kept, contacts.log)
        discovery = Discovery(hubs)
        downloads = Downloads(
            DownloadStore(self.database, self.changes),
            folders.models,
            self.changes,
            hubs.hub,
            models.arrived,
        )
        snapshots = Snapshots(folders)
        titles = Titles(self.store, self.engine, post, preferences.name_chats)
        conversation = Conversation(self.store, self.engine, post, report, titles)
        whole_chats = WholeChats(self.database, self.changes, self.store.undo)
        backups = Backups(self.database, self.store.undo, self.changes, report)
        self.services = Services(
            folders=folders,
            database=self.database,
            importing=Importing(whole_chats, lambda: backups.make(Reason.IMPORT)),
            exporting=Exporting(whole_chats, asset("formats/page.css"), _print_pdf),
            history=History(self.store),
            incognito=Incognito(IncognitoStore(self.store, whole_chats, self.changes), conversation),
            backups=backups,
            conversation=conversation,
            budgets=Budgets(self.store, self.engine, post, conversation.errands, conversation.extensions),
            models=models,
            facts=ModelFacts(models, UseStore(self.database)),
            questions=Questions(self.engine),
            preferences=preferences,
            benchmark=Benchmark(
                lambda folder: make_engine(self.changes, folders.logs / "crash.txt", trials, folder),
                folders.data,
            ),
            choices=ModelChoices(kept),
            inspection=Inspection(folders),
            keeping=Keeping(kept, self.engine),
            long_readings=LongReadings(
                self.engine, models.identified, folders.data, asset("reading/time-machine.txt")
            ),
            hubs=hubs,
            network=Network(hubs, kept, downloads.throttle),
            contacts=contacts,
            snapshots=snapshots,
            trash=TrashCan(self.store, self.engine, snapshots),
            discovery=discovery,
            downloads=downloads,
            recommendations=Recommendations(discovery, downloads),
            adoption=Adoption(kept, models),
            prospects=Prospects(hubs, discovery, downloads),
        )

        self.services.trash.backups = backups.names
        self._place = Place(folders, kept, report)
        self._scrub = Scrub(self.database, kept, self.changes, lambda: bool(conversation.live), report)

    def begin(self) -> None:
        """Begin what takes long: open the database, end what a crash left open, list the models."""
        self.services.backups.begin()
        self._scrub.begin()
        self._place.begin()
        self.services.keeping.read()
        self.store.recover().add_done_callback(self._tell)
        self.services.trash.expire()
        self.services.importing.begin()
        self.services.models.refresh()
        self.services.network.begin()
        self.services.downloads.begin()

    def _tell(self, future: "Future[list[int]]") -> None:
        error = future.exception()
        if isinstance(error, UserError):
            self._report(error)
        elif error is not None:
            raise error

    def close(self) -> None:
        """End everything, what is being written first."""
        self._scrub.close()
        self.services.conversation.close()
        self.services.importing.close()
        self.services.exporting.close()
        self.services.inspection.close()
        self.services.long_readings.close()
        self.services.recommendations.close()
        self.services.downloads.close()
        self.services.discovery.close()
        self.services.prospects.close()
        self.services.network.close()
        self.services.contacts.close()
        self.services.snapshots.close()
        self.services.models.close()
        self.services.backups.close()
        self.engine.close()
        self.services.incognito.close()
        self.database.close()


def _terminal(arguments: argparse.Namespace, folders: Folders) -> int:
    from app.cli import ask, backup, bench, chat, check, doctor, history, models, plan, restore
    from app.cli.loop import Loop
    from app.cli.output import report

    commands = {
        "ask": ask.run,
        "chat": chat.run,
        "models": models.run,
        "history": history.run,
        "bench": bench.run,
        "doctor": doctor.run,
        "plan": plan.run,
        "backup": backup.run,
        "restore": restore.run,
        "check": check.run,
    }
    lock = InstanceLock(folders.data / "window.lock")
    if arguments.command == "restore" and arguments.backup is not None and not lock.acquire():
        raise UserError(
            _("Fireside’s window is open."), _("Close it first, or restore the backup in its settings.")
        )
    loop = Loop()
    build = Build(folders, loop.post, report)
    try:
        if arguments.command in ("chat", "history"):
            with suppress(UserError):  # where nothing can be written, reading still works
                loop.result(build.store.recover())
        if arguments.command == "chat":
            build.services.backups.begin()
            loop.result(build.services.keeping.read())
        _held = _prepare_printing(arguments)
        return commands[arguments.command](build.services, loop, arguments)
    finally:
        build.close()
        lock.release()


def _window(folders: Folders, opened: Path | None) -> int:
    if not _has_display():
        raise UserError(
            _("Fireside found no screen to open its window on."),
            _("Run “fireside chat” to chat in the terminal."),
        )
    from app.ui.application import make_application, run
    from app.ui.crash import CrashReporter
    from app.ui.localization import localize
    from app.ui.post import Poster
    from app.ui.single_instance import instance_name, is_first, listen
    from app.ui.window_memory import WindowMemory

    application = make_application(sys.argv[:1])
    localize(application, WindowMemory(folders.data / "window.ini").language)
    lock = InstanceLock(folders.data / "window.lock")
    if not is_first(instance_name(folders.data), lock.acquire, opened):
        return 0
    poster = Poster()
    CrashReporter(poster).install()
    build = Build(folders, poster.post, poster.report)
    window = make_window(build, poster)
    add = window.model_sheets.add
    listen(instance_name(folders.data), window.come_to_front, window, add)

    def begin() -> None:
        build.begin()
        if opened is not None:
            add(opened)

    try:
        return run(application, window, begin)
    finally:
        build.close()


def _selftest() -> int:
    """Try all that this program came with, print what was found as JSON, and return 1 for a part that fails.

    It keeps to a folder of its own unless FIRESIDE_HOME names one, and shows nothing.
    """
    from app import __version__
    from app.cli.output import print_json
    from app.services import selftest

    with tempfile.TemporaryDirectory(prefix="fireside-selftest-", ignore_cleanup_errors=True) as own:
        folders = Folders.at(Path(os.environ.get("FIRESIDE_HOME") or own))
        footprint = selftest.Footprint([folders.data, Path(tempfile.gettempdir())])
        footprint.watch()
        folders.create()
        checks = _selftest_parts(folders)
    checks["files"] = selftest.outcome(footprint.files)
    checks["sockets"] = selftest.outcome(footprint.sockets)
    passed = all(found["passed"] for found in checks.values())
    print_json({"passed": passed, "fireside": __version__, "checks": checks})
    return 0 if passed else 1


def _selftest_parts(folders: Folders) -> dict[str, dict[str, Any]]:
    if not _has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from app.services import selftest
    from app.ui import selftest as of_window
    from app.ui.application import make_application
    from app.ui.post import Poster

    application = make_application(sys.argv[:1])
    poster = Poster()
    build = Build(folders, poster.post, poster.report)
    try:
        return {
            **of_window.examine(lambda: make_window(build, poster)),
            **selftest.examine(build.services),
        }
    finally:
        build.close()
        application.processEvents()


def make_window(build: Build, poster: "Poster") -> "MainWindow":
    """Return the window over everything in `build`, which posts through `poster`."""
    from app.ui.main_window import MainWindow
    from app.ui.window_memory import WindowMemory

    services = build.services
    return MainWindow(
        poster=poster,
        history=services.history,
        incognito=services.incognito,
        importing=services.importing,
        exporting=services.exporting,
        conversation=services.conversation,
        budgets=services.budgets,
        models=services.models,
        facts=services.facts,
        changes=build.changes,
        preferences=services.preferences,
        choices=services.choices,
        inspection=services.inspection,
        downloads=services.downloads,
        recommendations=services.recommendations,
        adoption=services.adoption,
        discovery=services.discovery,
        prospects=services.prospects,
        network=services.network,
        contacts=services.contacts,
        snapshots=services.snapshots,
        trash=services.trash,
        keeping=services.keeping,
        backups=services.backups,
        long_readings=services.long_readings,
        memory=WindowMemory(services.folders.data / "window.ini"),
    )


def _print_pdf(html: str, title: str, path: Path) -> None:
    from app.ui.pdf import print_pdf  # imports Qt, which a terminal mostly does without

    print_pdf(html, title, path)


def _prepare_printing(arguments: argparse.Namespace) -> object:
    """Have Qt ready on this thread where a command makes PDFs; to be held until it is done."""
    if getattr(arguments, "format", None) != "pdf":
        return None
    from app.ui.pdf import prepare

    return prepare()


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _start_log(folder: Path) -> None:
    """Log to a file that its size bounds; never the text of a message."""
    try:
        handler = RotatingFileHandler(
            folder / "fireside.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True
        )
    except OSError:
        return
    logging.raiseExceptions = False  # a full disk takes no log line: no reason to print a traceback
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("fireside")
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False
