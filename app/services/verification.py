"""Whether a model's bytes are still the right ones: all of them are read, which takes a while."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.model import Model
from app.domain.model_problems import explain
from models_registry.errors import ModelFileError
from models_registry.index import Source
from models_registry.library import digest_of
from models_registry.shards import parts_of


class Outcome(StrEnum):
    """What reading all bytes has shown."""

    PUBLISHED = "published"  # they are those that the hub published
    UNCHANGED = "unchanged"  # they are those that were here when the file was first read
    FIRST = "first"  # nobody knows what they should be; now they are remembered
    DAMAGED = "damaged"  # they are not those that the hub published
    CHANGED = "changed"  # they are not those that were here when the file was first read
    STOPPED = "stopped"  # not all were read


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a check ended.

    Attributes:
        sha256: Of all files one after the other, where they were read so; else of the first that is wrong,
            or of the first.
        expected: What that should have been; empty when nobody knows.
        repository: Who published it; empty when it was here already.
    """

    outcome: Outcome
    model: Model
    sha256: str = ""
    expected: str = ""
    repository: str = ""

    @property
    def right(self) -> bool:
        """Return whether nothing speaks against the file."""
        return self.outcome in (Outcome.PUBLISHED, Outcome.UNCHANGED, Outcome.FIRST)

    @property
    def sentence(self) -> UserError:
        """Return what to tell a person, and what to do about it."""
        name, repository = self.model.name, self.repository
        match self.outcome:
            case Outcome.PUBLISHED:
                words = _("{model} is exactly what {repository} published.")
                return UserError(words.format(model=name, repository=repository))
            case Outcome.UNCHANGED:
                return UserError(
                    _("{model} has not changed since Fireside first read it.").format(model=name)
                )
            case Outcome.FIRST:
                words = _("There was nothing yet to compare {model} with. From now on there is.")
                return UserError(words.format(model=name))
            case Outcome.DAMAGED:
                words = _("The bytes of {model} are not the ones that {repository} published.")
                return UserError(
                    words.format(model=name, repository=repository), _("Remove it, then download it again.")
                )
            case Outcome.CHANGED:
                words = _("{model} has changed since Fireside first read it.")
                hint = _(
                    "If that was not you, get it anew. From now on it is compared with what it is today."
                )
                return UserError(words.format(model=name), hint)
        return UserError(_("{model} was not checked to its end.").format(model=name))


class Verification:
    """One check on a thread of its own, so that nothing waits for it.

    Attributes:
        model: What is checked.
        done: Bytes that have been read.
        total: Bytes that there are to read.
        verdict: How it ended; fails with UserError when the file is gone or cannot be read.
    """

    def __init__(self, model: Model, source: Source | None, known: str) -> None:
        """Prepare to check `model`.

        Args:
            model: Its size is what is to be read.
            source: Where it came from.
            known: Its sha256 as of before; empty when there is none.
        """
        self.model, self.done, self.total = model, 0, model.size
        self.verdict: Future[Verdict] = Future()
        self._source, self._known = source, known
        self._repository = source.repository if source else ""
        self._stopped = threading.Event()

    def start(self, learn: Callable[[Verdict], None]) -> None:
        """Begin; `learn` is told on the thread, before `verdict` resolves."""

        def work() -> None:
            try:
                verdict = self._check()
                learn(verdict)
            except ModelFileError as error:
                self.verdict.set_exception(explain(error, self.model.path.name))
            except BaseException as error:
                self.verdict.set_exception(error)
            else:
                self.verdict.set_result(verdict)

        threading.Thread(target=work, name="verification", daemon=True).start()

    def stop(self) -> None:
        """Read no further."""
        self._stopped.set()

    def _check(self) -> Verdict:
        parts = list(parts_of(self.model.path))
        expected = self._source.sha256 if self._source else ()
        if len(parts) > 1 and len(expected) == len(parts):
            return self._compare_parts(parts, expected)
        found = digest_of(self.model.path, self._stopped.is_set, self._progress(0))
        if found is None:
            return Verdict(Outcome.STOPPED, self.model)
        should = expected[0] if expected else self._known
        if not should:
            return Verdict(Outcome.FIRST, self.model, found)
        right, wrong = Outcome.UNCHANGED, Outcome.CHANGED
        if self._repository and expected:
            right, wrong = Outcome.PUBLISHED, Outcome.DAMAGED
        return Verdict(right if found == should else wrong, self.model, found, should, self._repository)

    def _compare_parts(self, parts: Sequence[Path], expected: Sequence[str]) -> Verdict:
        before = 0
        for part, should in zip(parts, expected, strict=True):
            found = digest_of(part, self._stopped.is_set, self._progress(before), alone=True)
            if found is None:
                return Verdict(Outcome.STOPPED, self.model)
            if found != should:
                return Verdict(Outcome.DAMAGED, self.model, found, should, self._repository)
            before = self.done
        return Verdict(Outcome.PUBLISHED, self.model, expected[0], expected[0], self._repository)

    def _progress(self, before: int) -> Callable[[int], None]:
        def read(count: int) -> None:
            self.done = before + count

        return read
