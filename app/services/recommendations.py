"""Which models of the catalogue suit this computer, in words, and the way from one to its download."""

import platform
import sys
from concurrent.futures import Future
from dataclasses import dataclass

import psutil

from app.domain.download import Download
from app.domain.language import _, of_data
from app.services.discovery import Discovery
from app.services.downloads import Downloads
from app.services.threads import Threads
from models_registry import catalogue, recommendation
from models_registry.recommendation import Computer, Fit, Reason, Recommendation

FIT_NAMES = {Fit.FITS: "fits", Fit.TIGHT: "tight", Fit.TOO_LARGE: "too_large"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model worth having.

    Attributes:
        id: Of the catalogue's entry.
        good_at: A sentence.
        size: Bytes to download; may be an estimate.
        memory: Bytes that it takes while it runs.
        context: Tokens it then sees at once.
        fit: "fits", "tight" or "too_large".
        first: Whether it is the one to begin with.
        why: A sentence for it or against it; may be empty.
        speed: Tokens a second, to within a factor of two.
        license: Empty where its page has to be read.
    """

    id: str
    name: str
    good_at: str
    repository: str
    quantization: str
    size: int
    memory: int
    context: int
    fit: str
    first: bool
    why: str
    speed: float
    license: str


@dataclass(frozen=True, slots=True)
class Machine:
    """This computer, in a few words.

    Attributes:
        chip: Name of the processor; may be empty.
        memory: Bytes.
        gpu: Name of what computes beside it; empty without one.
    """

    chip: str
    memory: int
    gpu: str


class Recommendations:
    """Suggests models for this computer. Everything returns a Future at once."""

    def __init__(self, discovery: Discovery, downloads: Downloads) -> None:
        """Wire the service; the catalogue is read when it is wanted."""
        self._discovery = discovery
        self._downloads = downloads
        self._thread = Threads(1, "recommendations")
        self._made: dict[str, Recommendation] = {}  # by the entry's id

    def here(self, limit: int | None = None) -> "Future[list[Suggestion]]":
        """Return what suits this computer, the first choice first."""

        def suggest() -> list[Suggestion]:
            found = recommendation.recommend(catalogue.load(), this_computer(), limit=limit)
            self._made |= {each.entry.id: each for each in found}
            return [_suggestion(each, first=number == 0) for number, each in enumerate(found)]

        return self._thread.submit(suggest)

    def machine(self) -> "Future[Machine]":
        """Return what this computer is."""
        return self._thread.submit(_this_machine)

    def start(self, suggestion: Suggestion) -> "Future[Download]":
        """Ask the hub for a model that `here` suggested, and put it into the queue of downloads.

        Raises:
            UserError: Through the future, when the hub does not have it or cannot be reached.
        """

        def begin() -> Download:
            made = self._made[suggestion.id]
            repository = self._discovery.look(made.entry.repository, made.entry.commit).result()
            matching = made.quantization.matching([variant.path for variant in repository.variants])
            wanted = matching[0] if matching else suggestion.quantization
            variant = self._discovery.choose(repository, wanted)
            return self._downloads.add(self._discovery.wanted(repository, variant)).result()

        return self._thread.submit(begin)

    def close(self) -> None:
        """End."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def this_computer() -> Computer:
    """Return what models would run on here."""
    memory = psutil.virtual_memory()
    unified = sys.platform == "darwin" and platform.machine() == "arm64"
    return Computer(
        memory_total=memory.total,
        memory_free=min(memory.available + _given_back(), memory.total),
        gpu_memory=None if unified else _card_memory(),
        unified=unified,
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
    )


def _given_back() -> int:
    """Return the bytes of this program: a model that is loaded makes room for the one that is wanted."""
    return int(psutil.Process().memory_full_info().uss)


def _this_machine() -> Machine:
    from app.engine import native

    *cards, processor = native.devices()
    gpu = cards[0].description if cards else ""
    if gpu == processor.description:  # one chip is both
        gpu = cards[0].name
    return Machine(processor.description.strip(), psutil.virtual_memory().total, gpu)


def _card_memory() -> int | None:
    """Return the memory of the largest graphics card that the engine can compute on."""
    from app.engine import native

    cards = [device.memory_total for device in native.devices()[:-1]]
    return max(cards, default=None)


def _suggestion(one: Recommendation, *, first: bool) -> Suggestion:
    entry = one.entry
    return Suggestion(
        id=entry.id,
        name=entry.name,
        good_at=of_data(entry.good_at),
        repository=entry.repository,
        quantization=one.quantization.name,
        size=one.quantization.size,
        memory=one.memory,
        context=one.context,
        fit=FIT_NAMES[one.fit],
        first=first and one.fit is not Fit.TOO_LARGE,
        why=_why(one.why),
        speed=one.speed,
        license=entry.license or "",
    )


def _why(reasons: tuple[Reason, ...]) -> str:
    """Return what weighs most, in one sentence."""
    sentences = {
        Reason.CLOSE_PROGRAMS: _("Close other programs first: what is free now is not enough."),
        Reason.SLOW: _("It will write more slowly than you read."),
        Reason.SMALLER_QUANTIZATION: _("Only a smaller, less exact copy fits."),
        Reason.SHORT_CONTEXT: _("It can see less text at once than usual here."),
        Reason.ON_GPU: _("It fits your graphics card, which makes it fast."),
        Reason.FEW_ACTIVE: _("It is as fast as a much smaller model."),
        Reason.BETTER_QUANTIZATION: _("There is room for a more exact copy."),
        Reason.BEST: _("The best answers at a good speed on this computer."),
    }
    return next((text for reason, text in sentences.items() if reason in reasons), "")
