"""Everything that is in memory for one model: its weights, its context, its caches, in the right order."""

from dataclasses import dataclass
from pathlib import Path

from app.domain.loading import LoadOptions
from app.domain.model import EngineStatus
from app.engine import native, records
from app.engine.adapters import Adapters
from app.engine.cache import Cache
from app.engine.context import Context
from app.engine.draft_model import DraftModel
from app.engine.model import LoadedModel
from app.engine.scheduler import Scheduler
from app.engine.snapshots import Snapshots
from app.engine.template_doctor import Report
from app.engine.threads import ThreadCounts
from models_registry.fit import Layout
from models_registry.header import Header
from models_registry.memory import Memory

SNAPSHOTS = "snapshots"
"""Name of the folder in the data folder."""


@dataclass(slots=True)
class Loaded:
    """A model that can answer.

    Attributes:
        model: Its weights and vocabulary.
        header: What its file says.
        options: How it was loaded.
        context: Where it computes.
        cache: What its context holds.
        adapters: Those that were read for it.
        scheduler: The answers on their way.
        threads: CPU threads it computes with.
        memory: What all of it takes.
        report: What its chat template can do.
        draft: What guesses ahead for it; None for nothing but the text itself.
        beside: A second context of its model, while one is at work.
        closed: It has been given back.
        used: The moment (time.monotonic) of its last work.
    """

    model: LoadedModel
    header: Header
    options: LoadOptions
    context: Context
    cache: Cache
    adapters: Adapters
    scheduler: Scheduler
    threads: ThreadCounts
    memory: Memory
    report: Report
    draft: DraftModel | None = None
    beside: Context | None = None
    closed: bool = False
    used: float = 0.0

    @property
    def status(self) -> EngineStatus:
        """Return what is to be told of it."""
        return EngineStatus(
            model=self.model.path,
            context=self.context.size,
            trained_context=self.model.trained_context,
            has_template=not self.model.template.is_plain,
            template_notes=tuple(self.report.lines()),
            thinking=self.report.thinking,
        )

    def close(self) -> None:
        """Keep what is worth it on disk and give everything back, in the order that llama.cpp wants."""
        self.cache.save_all()
        self.context.close()
        self.close_model()

    def close_model(self) -> None:
        """Give back all but the context, which has been closed."""
        self.closed = True
        if self.beside:
            self.beside.close()
            self.beside = None
        self.adapters.close()
        if self.draft:
            self.draft.close()
        self.model.close()


def snapshots_in(folder: Path, path: Path, layout: Layout) -> Snapshots:
    """Return the snapshots of the model `path` in a context with this layout.

    A state is of use only where all of this is the same; llama.cpp checks hardly any of it. How many cells
    and sequences there are does not matter, nor how many tokens are computed at once.
    """
    rope = layout.rope and layout.rope.key
    form = (layout.kv_type, layout.flash_attention, layout.whole_window, rope)
    return Snapshots(folder, repr((records.state_of(path), native.identity(), form)))
