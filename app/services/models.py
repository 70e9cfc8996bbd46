"""The models on this computer: list, add, find, load. The app's view of models_registry and the engine."""

import os
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TypeVar

from app.domain.changes import Changed, Changes, Kind
from app.domain.download import Download
from app.domain.errors import UserError
from app.domain.generation import Job
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.model import EngineStatus, Model, Origin
from app.domain.model_problems import explain
from app.engine.worker import Engine
from app.services.headers import header_of
from app.services.threads import Threads
from app.services.verification import Outcome, Verdict, Verification
from models_registry.errors import ModelFileError
from models_registry.header import Header
from models_registry.index import Source
from models_registry.library import Entry, Library
from models_registry.shards import parts_of

T = TypeVar("T")


class Models:
    """What can be picked, and what is loaded.

    Everything that reads files runs on one worker thread of its own and returns a Future. After each
    change of the list (a model added, a sha256 computed) `Changed(MODELS)` is published.
    """

    def __init__(
        self, library: Library, engine: Engine, changes: Changes, identified: Callable[[str, str], object]
    ) -> None:
        """Wire the service.

        Args:
            library: The files; from now on only this service's thread touches it.
            engine: What loads them.
            changes: Where news of the list goes.
            identified: Told the path and the sha256 of each file once that is known.
        """
        self._library = library
        self._engine = engine
        self._changes = changes
        self._identified = identified
        self._files = Threads(1, "models")
        self._waiting = 0  # tasks that a person waits for; hashing in the background gives way to them
        self._closing = Event()
        self._loading: Job | None = None
        self._unreadable: set[Path] = set()
        self._checks: list[Verification] = []
        self.known: list[Model] = []

    @property
    def status(self) -> EngineStatus:
        """Return what the engine holds; `Changed(ENGINE)` says when it is another."""
        return self._engine.status

    def refresh(self) -> "Future[list[Model]]":
        """Read the folders again, and compute the sha256 that are missing in the background."""
        return self._submit(self._read)

    def on_files(self, task: Callable[[Callable[[], bool]], T]) -> "Future[T]":
        """Run `task` where all work on files is done; it is given what says that Fireside is closing."""
        return self._submit(lambda: task(self._closing.is_set))

    def add(self, path: Path, name: str = "") -> "Future[Model]":
        """Use a GGUF file where it lies, called `name` should it have none of its own.

        Raises:
            UserError: Through the future, when the file is not a model or cannot be kept on the list.
        """

        def link() -> Model:
            try:
                entry = self._library.link(path, name)
            except ModelFileError as error:
                raise explain(error, path.name) from error
            except OSError as error:
                raise _unsaved(error) from error
            self._read()
            return _model(entry)

        return self._submit(link)

    def arrived(self, download: Download, paths: list[Path]) -> None:
        """Show a model that has just been downloaded, and keep where it came from."""

        def show() -> None:
            sums = tuple(part.sha256 for part in download.parts)[: len(list(parts_of(paths[0])))]
            self._library.learn_source(paths[0], Source(download.repository, download.commit, sums))
            if len(sums) == 1:
                self._library.learn_sha256(paths[0], sums[0])
            self._read()

        self._submit(show)

    def forget(self, model: Model) -> "Future[None]":
        """Take a linked file off the list; the file stays."""

        def unlink() -> None:
            self._library.unlink(model.path)
            self._read()

        return self._submit(unlink)

    def identified(self, model: Model) -> "Future[Model]":
        """Return `model` with its sha256, computing it now when it is not known yet.

        One that cannot be used has none.

        Raises:
            UserError: Through the future, when its file is gone since, or cannot be read any more.
        """

        def identify() -> Model:
            if model.problem:
                return model
            try:
                sha256 = model.sha256 or self._library.sha256_of(model.path, self._closing.is_set) or ""
            except ModelFileError as error:
                raise explain(error, model.path.name) from error
            if sha256 and not model.sha256:
                self._know(model.path, sha256)
            return replace(model, sha256=sha256)

        return self._submit(identify)

    def rename(self, model: Model, name: str) -> "Future[None]":
        """Call a model `name` from now on; an empty one gives it back its own. Its file stays as it is.

        Raises:
            UserError: Through the future, when the list cannot be saved.
        """

        def change() -> None:
            wanted = "" if name.strip() == model.original_name else name
            try:
                self._library.rename(model.path, wanted)
            except OSError as error:
                raise _unsaved(error) from error
            self._read()

        return self._submit(change)

    def verify(self, model: Model) -> "Future[Verification]":
        """Begin to read all bytes of a model, and to compare them with those it came with."""

        def begin() -> Verification:
            check = Verification(model, self._library.source_of(model.path), model.sha256)
            self._checks = [each for each in self._checks if not each.verdict.done()] + [check]
            if self._closing.is_set():
                check.stop()
            check.start(self._learn)
            return check

        return self._submit(begin)

    def header(self, model: Model) -> Header | None:
        """Return the header of a model, None when it cannot be used; to be called inside of `on_files`."""
        return self._library.header(model.path)

    def _learn(self, verdict: Verdict) -> None:
        """Keep what a check has shown of a file that nobody published."""
        path, sha256 = verdict.model.path, verdict.sha256

        def learn() -> None:
            if verdict.outcome in (Outcome.FIRST, Outcome.CHANGED):
                self._library.learn_source(path, Source("", "", (sha256,)))
            self._library.learn_sha256(path, sha256)
            self._identified(str(path), sha256)
            self._read()

        news = verdict.outcome is not Outcome.STOPPED and sha256 != verdict.model.sha256
        if news and len(list(parts_of(path))) == 1:
            with suppress(RuntimeError, CancelledError):  # closed meanwhile
                self._submit(learn).result()

    def remove(self, model: Model) -> "Future[None]":
        """Move a model of Fireside's own folder to the system's trash; take another one off the list.

        Raises:
            UserError: Through the future, when that cannot be done.
        """

        def remove() -> None:
            if model.origin is Origin.STARTER:
                raise UserError(_("{model} came with Fireside and stays.").format(model=model.name))
            if model.origin is Origin.OWN:
                self._to_trash(model)
            try:
                self._library.forget(model.path)
            except OSError as error:
                raise _unsaved(error) from error
            self._read()

        return self._submit(remove)

    def _to_trash(self, model: Model) -> None:
        from send2trash import send2trash

        try:
            for part in parts_of(model.path):
                send2trash(part)
        except OSError as error:
            raise UserError(
                _("{model} could not be moved to the trash: {reason}").format(
                    model=model.name, reason=error.strerror or error
                ),
                _("Close other programs that use the file, and try again."),
            ) from error

    def find(self, models: list[Model], wanted: str | None, *, usable: bool = True) -> Model:
        """Return the one of `models` that a person means by a path, a name or a part of one.

        Without `wanted` that is the one to begin with. A path that is not on the list will do too.

        Args:
            models: The list.
            wanted: What a person calls it.
            usable: Whether one that cannot be used is refused.

        Raises:
            UserError: When nothing fits, or several do.
        """
        check = self._usable if usable else _known
        if wanted is None:
            return check(self.preferred(models=models))
        words = wanted.casefold()
        exact = [m for m in models if words in (m.name.casefold(), m.path.name.casefold())]
        fitting = exact or [
            m for m in models if words in f"{m.name} {m.original_name} {m.path.name}".casefold()
        ]
        if len(fitting) == 1:
            return check(fitting[0])
        path = Path(wanted).expanduser()
        if os.sep in wanted or (not fitting and path.suffix == ".gguf"):
            path = path.parent.resolve() / path.name
            return check(next((m for m in models if m.path == path), None) or self._peek(path))
        if fitting:
            # Translators: what stands between the parts of a list.
            names = _(", ").join(f"{model.name} ({model.path.name})" for model in fitting)
            raise UserError(
                _("“{wanted}” matches several models: {names}.").format(wanted=wanted, names=names),
                _("Give more of the name, or the path of the file."),
            )
        raise UserError(
            _("There is no model called “{wanted}” here.").format(wanted=wanted),
            _("Run “fireside models” to see their names, or give the path of a .gguf file."),
        )

    def preferred(self, chat_model_path: str = "", models: list[Model] | None = None) -> Model | None:
        """Return what to answer with: the chat's own model, else the loaded one, else the first."""
        works = [model for model in (self.known if models is None else models) if not model.problem]
        loaded = str(self.status.model or "")
        for path in (chat_model_path, loaded):
            if found := next((model for model in works if path and str(model.path) == path), None):
                return found
        return works[0] if works else None

    def load(self, model: Model, context: int | None = None, options: LoadOptions | None = None) -> None:
        """Load a model now, ahead of the first question; progress shows in `status`.

        Args:
            model: The file.
            context: Tokens it sees at once; None leaves them to the engine.
            options: How it is loaded; None leaves all of it to the engine.
        """
        self.cancel_loading()
        self._loading = self._engine.load(model.path, context, options)

    def cancel_loading(self) -> None:
        """Stop what `load` began; what was in memory before and still fits there stays."""
        if self._loading is not None:
            self._engine.cancel(self._loading)
            self._loading = None

    def unload(self) -> None:
        """Give the memory of every model back, once their answers have ended; the next question loads one."""
        self._engine.unload()

    def close(self) -> None:
        """End the work on files; what is not finished is begun anew the next time."""
        self._closing.set()
        for check in self._checks:
            check.stop()
        self._files.shutdown(wait=True, cancel_futures=True)

    def _submit(self, task: "Callable[[], T]") -> "Future[T]":
        def run() -> T:
            try:
                return task()
            finally:
                self._waiting -= 1

        self._waiting += 1
        return self._files.submit(run)

    def _read(self) -> list[Model]:
        self.known = [_model(entry) for entry in self._library.entries()]
        self._unreadable.clear()
        self._changes.publish(Changed(Kind.MODELS))
        self._files.submit(self._identify_next)
        return self.known

    def _identify_next(self) -> None:
        """Compute one missing sha256, then queue up again behind what people wait for."""
        model = next(
            (m for m in self.known if not (m.sha256 or m.problem or m.path in self._unreadable)), None
        )
        if model is None or self._closing.is_set():
            return
        try:
            sha256 = self._library.sha256_of(model.path, lambda: self._waiting > 0 or self._closing.is_set())
        except ModelFileError:
            self._unreadable.add(model.path)  # until the list is read again, which says why
            sha256 = None
        if sha256:
            self._know(model.path, sha256)
        self._files.submit(self._identify_next)

    def _know(self, path: Path, sha256: str) -> None:
        self._identified(str(path), sha256)
        self.known = [replace(model, sha256=sha256) if model.path == path else model for model in self.known]
        self._changes.publish(Changed(Kind.MODELS))

    def _peek(self, path: Path) -> Model:
        """Return a model that is not on the list."""
        origin = Origin.OWN if self._library.holds(path) else Origin.LINKED
        return _model(Entry(path, origin, header_of(path), None, ""))

    def _usable(self, model: Model | None) -> Model:
        found = _known(model)
        if found.problem:
            raise UserError(found.problem, "", "choose-model")
        return found


def _known(model: Model | None) -> Model:
    if model is None:
        raise UserError(
            _("There is no model on this computer yet."),
            _("Add one: fireside models add FILE.gguf"),
            "choose-model",
        )
    return model


def _unsaved(error: OSError) -> UserError:
    return UserError(
        _("The list of models cannot be saved: {reason}.").format(reason=error.strerror or error),
        _("Check that the disk has room and that you may write to Fireside's folder."),
    )


def _model(entry: Entry) -> Model:
    header, source = entry.header, entry.source
    if header is None:
        return Model(
            path=entry.path,
            name=entry.name,
            origin=Origin(entry.origin),
            size=0,
            problem=str(explain(entry.error, entry.path.name)) if entry.error else "",
            original_name=entry.original_name,
            repository=source.repository if source else "",
        )
    return Model(
        path=entry.path,
        name=entry.name,
        origin=Origin(entry.origin),
        size=header.file_size,
        quantization=header.quantization,
        architecture=header.architecture,
        parameters=header.parameter_count,
        context=header.context_length,
        license=header.license,
        sha256=entry.sha256,
        has_template=not header.is_base,
        original_name=entry.original_name,
        repository=source.repository if source else "",
        commit=source.commit if source else "",
        changed=entry.changed,
        copies=entry.copies,
    )
