"""What can be asked of the engine's thread."""

from dataclasses import dataclass
from pathlib import Path

from app.domain.generation import Job, Request
from app.domain.loading import LoadOptions
from app.domain.long_reading import Examination
from app.domain.retention import Retention


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model ahead of the first request; the job ends with Finished(None) or Failed."""

    model: Path
    context: int | None
    options: LoadOptions


@dataclass(frozen=True, slots=True)
class Prompt:
    """Render what a model would read for a request; the job ends with Rendered and Finished(None)."""

    request: Request


@dataclass(frozen=True, slots=True)
class Measure:
    """Count a request with a window; the job ends with Measured and Finished(None), or with that alone."""

    request: Request


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget a conversation; the job ends with Finished(None)."""

    chat: int


@dataclass(frozen=True, slots=True)
class Unload:
    """Give every model back, once their answers have ended; the job ends with Finished(None)."""


@dataclass(frozen=True, slots=True)
class Retain:
    """Keep models in memory as `retention` says, from now on; the job ends with Finished(None)."""

    retention: Retention


What = Request | Load | Prompt | Measure | Forget | Unload | Retain | Examination


@dataclass(frozen=True, slots=True)
class Work:
    """Something asked for, with where the answer goes."""

    job: Job
    what: What

    @property
    def background(self) -> bool:
        """Return whether nobody waits for it."""
        if isinstance(self.what, Request):
            return self.what.background
        return isinstance(self.what, Measure | Examination)

    @property
    def takes_any_context(self) -> bool:
        """Return whether the model will do as it is loaded."""
        return self.background or isinstance(self.what, Prompt)

    @property
    def needs(self) -> tuple[Path, int | None, LoadOptions] | None:
        """Return the model, context and options it works with; None when any will do."""
        match self.what:
            case Load(model, context, options):
                return model, context, options
            case Examination(model, _context, options):
                return model, None, options
            case Prompt(request) | Measure(request) | (Request() as request):
                return request.model, request.settings.context, request.options
            case _:
                return None
