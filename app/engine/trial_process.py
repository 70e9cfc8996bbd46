"""What a trial runs in a process of its own: all that llama.cpp does with a file, on a small scale."""

import contextlib
import faulthandler
import json
import sys
import time
from pathlib import Path

import psutil

from app.domain.errors import UserError
from app.domain.generation import Job
from app.domain.settings import Settings
from app.engine import native
from app.engine.adapters import NO_ADAPTERS, Adapters
from app.engine.answer import Answer
from app.engine.cache import Cache
from app.engine.context import Context
from app.engine.model import LoadedModel
from app.engine.sampler import Sampler
from app.engine.scheduler import Scheduler
from app.engine.template import Segment
from models_registry.fit import CELL_STEP, choose
from models_registry.gguf import read_header

# A text with every byte that can occur in UTF-8: vocabularies that lack one have ended the process.
_EVERY_BYTE = "".join(
    map(chr, (*range(0x800), *range(0x800, 0xD800, 0x400), *range(0xE000, 0x110000, 0x1000)))
)
_PROMPT_TOKENS = 8


def run(path: Path, seconds: float) -> int:
    """Load `path`, write two tokens and free it again; return 0, unless it is the end of this process.

    A refusal goes to the standard output as JSON: {"message", "hint", "action"}. The text of a failed
    assertion and Python's stack go to the standard error.

    Args:
        path: A file whose header has been checked.
        seconds: After these the process ends by itself, should nobody be left to end it.
    """
    faulthandler.enable()
    faulthandler.dump_traceback_later(seconds + 1, exit=True)
    _leave_no_core()
    native.start()
    try:
        model = LoadedModel(path, lambda _fraction: True)
        try:
            _write(model, path)
        finally:
            model.close()
    except UserError as error:
        print(json.dumps({"message": error.message, "hint": error.hint, "action": error.action}))  # noqa: T201
    return 0


def _write(model: LoadedModel, path: Path) -> None:
    for special in (False, True):
        model.tokenize(_EVERY_BYTE, special=special)
    prompt = model.prompt([Segment("Hello, world")], lambda _text: None)[:_PROMPT_TOKENS] or [0]
    context = Context(model, choose(read_header(path), CELL_STEP), psutil.cpu_count(logical=False) or 1)
    adapters = Adapters(model)
    try:
        scheduler = Scheduler(
            context, Cache(context, None), adapters, bytearray(2), lambda _answer, _stats: None
        )
        settings = Settings(max_tokens=2)
        sampler = Sampler(settings, 0, model, prompt)
        answer = Answer(model, Job(), settings, 0, prompt, sampler, started=time.monotonic())
        scheduler.add(answer, NO_ADAPTERS, None)
        # What llama.cpp cannot compute but says so is told where a person asks for it.
        with contextlib.suppress(RuntimeError):
            while scheduler.answers:
                scheduler.step()
    finally:
        context.close()


def _leave_no_core() -> None:
    """Keep the system from writing gigabytes of memory to the disk when this process aborts."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
