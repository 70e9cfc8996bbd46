"""`fireside ask`: one question, one answer."""

import argparse
import sys

from app.cli.loop import Loop
from app.cli.options import settings_from
from app.cli.output import clear_progress, print_json, show_progress
from app.domain.generation import Failed, Finished, Job, Loading, Piece, Reading, Stats, StopReason
from app.domain.language import _
from app.domain.model import Model
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Answer, streaming to standard output, or as one JSON object at the end."""
    model = services.models.find(loop.result(services.models.refresh()), arguments.model)
    prompt = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    job = services.questions.ask(model, prompt, arguments.system, settings_from(arguments))
    if model.caution:
        print(model.caution, file=sys.stderr)
    as_json = "json" in arguments
    text, stats = follow(job, model, show=not as_json)
    if as_json:
        model = loop.result(services.models.identified(model))
        print_json(_object(text, stats, model))
    else:
        print()
    return 130 if stats.stop_reason is StopReason.CANCELLED else 0


def follow(job: Job, model: Model, *, show: bool) -> tuple[str, Stats]:
    """Wait for the end of `job`, printing its pieces when `show` is set; Ctrl+C stops the answer.

    Returns:
        What was written, and what it took.

    Raises:
        UserError: When the engine could not do it.
    """
    pieces: list[str] = []
    while True:
        try:
            for event in job.wait(0.1):
                match event:
                    case Loading(fraction):
                        show_progress(
                            _("Loading {model}… {percent} %").format(
                                model=model.name, percent=round(fraction * 100)
                            )
                        )
                    case Reading(done, total) if done:
                        show_progress(_("Reading… {percent} %").format(percent=round(100 * done / total)))
                    case Piece(text):
                        pieces.append(text)
                        if show:
                            clear_progress()
                            print(text, end="", flush=True)
                    case Failed(error):
                        raise error
                    case Finished(Stats() as stats):
                        clear_progress()
                        return "".join(pieces), stats
        except KeyboardInterrupt:
            job.cancel()


def _object(text: str, stats: Stats, model: Model) -> dict[str, object]:
    return {
        "text": text,
        "stop_reason": str(stats.stop_reason),
        "prompt_tokens": stats.prompt_tokens,
        "reused_tokens": stats.reused_tokens,
        "generated_tokens": stats.generated_tokens,
        "prefill_seconds": stats.prefill_seconds,
        "decode_seconds": stats.decode_seconds,
        "first_token_seconds": stats.first_token_seconds,
        "seed": stats.seed,
        "model": {"name": model.name, "sha256": model.sha256},
        "context": {"size": stats.context, "rope": stats.rope, "kv_type": stats.kv_type},
    }
