"""`fireside ask`: one question, one answer."""

import argparse
import json
import math
import sys
from dataclasses import dataclass, field
from typing import Any

from app.cli.loop import Loop
from app.cli.options import adapters_from, model_from, settings_from
from app.cli.output import Voice, clear_progress, print_columns, print_json, show_waiting
from app.domain.generation import Choice, Chosen, Failed, Finished, Job, Piece, Stats, StopReason
from app.domain.language import _
from app.domain.model import Model
from app.domain.settings import Settings
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Answer, streaming to standard output, or as one JSON object at the end."""
    settings, as_json = settings_from(arguments), "json" in arguments
    model, options = model_from(services, loop, arguments)
    prompt = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    job = services.questions.ask(model, prompt, arguments.system, settings, options, adapters_from(arguments))
    if model.caution:
        print(model.caution, file=sys.stderr)
    answer = follow(job, model, None if as_json else Voice(dimmed=sys.stdout.isatty()))
    if as_json:
        model = loop.result(services.models.identified(model))
        print_json(_object(answer, model, settings))
    else:
        print()
        _print_probabilities(answer.chosen)
        _say_cut(answer.stats, settings)
    return 130 if answer.stats.stop_reason is StopReason.CANCELLED else 0


@dataclass(slots=True)
class Answer:
    """What came of a question."""

    stats: Stats
    text: str = ""
    reasoning: str = ""
    chosen: list[Chosen] = field(default_factory=list)


def follow(job: Job, model: Model, voice: Voice | None) -> Answer:
    """Wait for the end of `job`, with `voice` to print its pieces; Ctrl+C stops the answer.

    Raises:
        UserError: When the engine could not do it.
    """
    thoughts: list[str] = []
    words: list[str] = []
    chosen: list[Chosen] = []
    while True:
        try:
            for event in job.wait(0.1):
                match event:
                    case Piece(text, reasoning):
                        (thoughts if reasoning else words).append(text)
                        if voice:
                            (voice.think if reasoning else voice.speak)(text)
                    case Chosen():
                        chosen.append(event)
                    case Failed(error):
                        raise error
                    case Finished(Stats() as stats):
                        clear_progress()
                        return Answer(stats, "".join(words), "".join(thoughts), chosen)
                    case _:
                        show_waiting(event, model.name)
        except KeyboardInterrupt:
            job.cancel()


def _object(answer: Answer, model: Model, settings: Settings) -> dict[str, object]:
    stats = answer.stats
    return {
        "text": answer.text,
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
        "samplers": stats.samplers,
        "threads": stats.threads,
        "flash_attention": stats.flash_attention,
        "drafted_tokens": stats.drafted_tokens,
        "accepted_tokens": stats.accepted_tokens,
        **({"reasoning": answer.reasoning} if answer.reasoning else {}),
        **({"probabilities": [_token(each) for each in answer.chosen]} if settings.probabilities else {}),
    }


def _token(chosen: Chosen) -> dict[str, Any]:
    return {**_choice(chosen.choice), "top": [_choice(choice) for choice in chosen.top]}


def _choice(choice: Choice) -> dict[str, Any]:
    # JSON has no infinity: a token that the model rules out has none.
    logprob = choice.logprob if math.isfinite(choice.logprob) else None
    return {"token": choice.token, "text": choice.text, "logprob": logprob}


def _print_probabilities(chosen: list[Chosen]) -> None:
    """Print each token that was written, and the likeliest ones at its place."""
    if chosen:
        print()
        most = max(len(each.top) for each in chosen)
        rows = [[_shown(choice) for choice in (each.choice, *each.top)] for each in chosen]
        print_columns([row + [""] * (1 + most - len(row)) for row in rows])


def _shown(choice: Choice) -> str:
    return f"{json.dumps(choice.text, ensure_ascii=False)} {math.exp(choice.logprob):.1%}"


def _say_cut(stats: Stats, settings: Settings) -> None:
    """Say that an answer in a given form was cut, and may not have that form."""
    if stats.stop_reason is StopReason.LENGTH and (settings.json_schema or settings.grammar):
        print(
            _(
                "The answer reached its token limit, so it may not be "
                "complete. Raise the limit with --max-tokens."
            ),
            file=sys.stderr,
        )
