"""`fireside models downloads`: the queue, and its order."""

import argparse

from app.cli.loop import Loop
from app.cli.output import print_columns, print_json, size
from app.domain.download import Download, State
from app.domain.errors import UserError
from app.domain.language import _
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the downloads in their order, or put one elsewhere first."""
    downloads = services.downloads
    queue = loop.result(downloads.refresh())
    if arguments.move is not None:
        moved = _numbered(queue, arguments.move)
        before = _numbered(queue, arguments.before) if arguments.before is not None else None
        if before is None or before.id != moved.id:
            loop.result(downloads.move(moved, before))
        queue = loop.result(downloads.refresh())
    if "json" in arguments:
        print_json([_told(services, number, each) for number, each in enumerate(queue, 1)])
    elif queue:
        print_columns([_row(services, number, each) for number, each in enumerate(queue, 1)])
    return 0


def _numbered(queue: list[Download], number: int) -> Download:
    if not 1 <= number <= len(queue):
        raise UserError(
            _("There is no download number {number}.").format(number=number),
            _("“fireside models downloads” lists them with their numbers."),
        )
    return queue[number - 1]


def _row(services: Services, number: int, download: Download) -> tuple[str, ...]:
    words = {
        State.WAITING: _("Waiting"),
        State.PAUSED: _("Paused"),
        State.FAILED: f"{download.problem} {download.hint}".strip(),
        State.DONE: _("Ready"),
    }
    arrived = f"{size(services.downloads.progress(download).done)} / {size(download.size)}"
    return str(number), download.name, download.quantization, arrived, words[download.state]


def _told(services: Services, number: int, download: Download) -> dict[str, object]:
    return {
        "number": number,
        "name": download.name,
        "quantization": download.quantization,
        "repository": download.repository,
        "commit": download.commit,
        "state": download.state.value,
        "done": services.downloads.progress(download).done,
        "size": download.size,
        "problem": download.problem,
        "hint": download.hint,
    }
