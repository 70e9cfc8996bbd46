"""`fireside bench`: how fast a model is on this computer."""

import argparse

from app.cli import bench_long
from app.cli.loop import Loop
from app.cli.options import rotated
from app.cli.output import clear_progress, print_columns, print_json, show_progress, size
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.settings import Settings
from app.services import Services
from app.services.benchmark import Speed


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Measure one model, and print a small table, or one JSON object; Ctrl+C ends it with nothing printed."""
    if arguments.long:
        return bench_long.run(services, loop, arguments)
    if rotated(LoadOptions(), arguments) != LoadOptions():
        raise UserError(_("How positions are scaled is tested with --long."))
    context = Settings(context=arguments.context).checked().context
    model = services.models.find(loop.result(services.models.refresh()), arguments.model)
    try:
        speed = services.benchmark.measure(model, context, arguments.runs, _show)
    finally:
        clear_progress()
    if "json" in arguments:
        print_json(speed.to_json())
    else:
        print_columns(_lines(speed))
    return 0


def _show(fraction: float) -> None:
    show_progress(_("Measuring… {percent} %").format(percent=round(fraction * 100)))


def _lines(speed: Speed) -> list[tuple[str, str, str]]:
    """Return each figure: in plain words, with its unit, and in the field's word."""
    rate, seconds = _("{count:,.1f} tokens a second"), _("{count:,.3f} seconds")
    return [
        (_("model"), speed.model, ""),
        (_("processor cores in use"), str(speed.threads), _("threads")),
        (_("tokens seen at once"), f"{speed.context:,}", _("context")),
        (_("reading a question"), rate.format(count=speed.prefill_tokens_per_second), _("prefill")),
        (_("writing an answer"), rate.format(count=speed.decode_tokens_per_second), _("decode")),
        (_("first word of a new chat"), seconds.format(count=speed.first_token_seconds), _("first token")),
        (
            _("first word of the next answer in that chat"),
            seconds.format(count=speed.warm_first_token_seconds),
            _("first token, warm"),
        ),
        (
            _("first word after a restart"),
            seconds.format(count=speed.restored_first_token_seconds),
            _("first token, restored"),
        ),
        (_("most memory used"), size(speed.peak_memory_bytes), _("peak memory")),
    ]
