"""What is known of a model here beside its file: how it fits, how fast it is, when it was used."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from app.domain.model import Model, Origin, Use
from app.services.adoption import owners
from app.services.models import Models
from app.services.recommendations import FIT_NAMES, this_computer
from app.storage.uses import UseStore, use_of
from models_registry import fit
from models_registry.header import Header
from models_registry.memory import Sizes
from models_registry.recommendation import SHORT_CONTEXT, Computer, Fit, fitting


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one model.

    Attributes:
        fit: "fits", "tight" or "too_large"; empty when its file cannot be read.
        context: Tokens with which a tight one fits well; 0 for none.
        use: What its answers have told; None before the first one.
        app: The app whose model it is, by name; empty for others.
    """

    fit: str = ""
    context: int = 0
    use: Use | None = None
    app: str = ""


NOTHING = Facts()


class ModelFacts:
    """Gathers them where files are read, and keeps the last.

    Attributes:
        known: As of the last `look`, by the path of the model.
    """

    def __init__(self, models: Models, uses: UseStore) -> None:
        """Wire the service; nothing is read yet."""
        self._models, self._uses = models, uses
        self._sizes: dict[Path, tuple[Header, Sizes]] = {}
        self.known: Mapping[Path, Facts] = {}

    def of(self, model: Model) -> Facts:
        """Return what is known of a model."""
        return self.known.get(model.path, NOTHING)

    def look(self) -> "Future[Mapping[Path, Facts]]":
        """Gather them anew."""

        def gather(_stop: Callable[[], bool]) -> Mapping[Path, Facts]:
            models = list(self._models.known)
            uses, computer = self._uses.all().result(), this_computer()
            places = owners() if any(each.origin is Origin.LINKED for each in models) else []
            found = {}
            for model in models:
                fits = self._fit(model, computer)
                app = next((name for folder, name in places if model.path.is_relative_to(folder)), "")
                found[model.path] = Facts(*fits, use_of(uses, model.path, model.sha256), app)
            self._sizes = {path: sizes for path, sizes in self._sizes.items() if path in found}
            self.known = found
            return found

        return self._models.on_files(gather)

    def _fit(self, model: Model, computer: Computer) -> tuple[str, int]:
        header = None if model.problem else self._models.header(model)
        if header is None:
            return "", 0
        known = self._sizes.get(model.path)
        if known is None or known[0] is not header:
            known = self._sizes[model.path] = header, Sizes(header, gpu=computer.unified)
        return fit_of(header, known[1], computer)


def fit_of(header: Header, sizes: Sizes, computer: Computer) -> tuple[str, int]:
    """Return how a model fits at the usual size of its context, and a smaller size at which it fits well.

    The size is 0 when none is needed, or none helps.
    """
    usual = fit.usual_context(header.context_length)
    found = fitting(header.file_size + beside(header, sizes, usual, gpu=computer.unified), computer)
    if found is Fit.FITS:
        return FIT_NAMES[found], 0
    context = usual // 2
    while context >= SHORT_CONTEXT:
        if (
            fitting(header.file_size + beside(header, sizes, context, gpu=computer.unified), computer)
            is Fit.FITS
        ):
            return FIT_NAMES[Fit.TIGHT], context
        context //= 2
    return FIT_NAMES[found], 0


def beside(header: Header, sizes: Sizes, context: int, *, gpu: bool) -> int:
    """Return the bytes that a model takes beside its weights."""
    taken = sizes.memory(fit.choose(header, context, gpu=gpu, shape=sizes.shape))
    return taken.total - taken.weights
