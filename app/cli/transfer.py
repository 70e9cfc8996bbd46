"""`fireside history export` and `fireside history import`."""

import argparse
import sys
from pathlib import Path
from typing import TypeVar

from app.cli.loop import Loop
from app.cli.options import add_json
from app.cli.output import clear_progress, print_json, show_progress
from app.domain.errors import UserError
from app.domain.language import _, plural
from app.services import Services
from app.services.exports.formats import Format
from app.services.exports.spoken import when
from app.services.importing import Found, nothing_found
from app.services.imports.words import came_words, known_words, left_out_words, versions_words
from app.services.running import Running

T = TypeVar("T")
_NAMED = 20


def add_transfer(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add the words and options of both."""
    out = what.add_parser(
        "export", parents=[everywhere], help=_("write chats to a file, for people or for other programs")
    )
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "ids", type=int, nargs="*", metavar="ID", default=[], help=_("the chats, by their numbers")
    )
    which.add_argument("--all", action="store_true", help=_("every chat"))
    out.add_argument(
        "--format", choices=tuple(Format), type=Format, default=Format.MARKDOWN, metavar="FORMAT",
        help=_("what they become: {formats} (default: md)").format(formats=", ".join(Format)),
    )  # fmt: skip
    out.add_argument(
        "--to", type=Path, metavar="PATH",
        help=_("the file, or the folder for several (default: print the text)"),
    )  # fmt: skip
    out.add_argument(
        "--branches",
        action="store_true",
        help=_("every version as an example, not only the one that is shown"),
    )
    add_json(out)
    come = what.add_parser(
        "import", parents=[everywhere],
        help=_("take over chats of ChatGPT, Open WebUI, LM Studio, Jan, llama.cpp or Fireside"),
    )  # fmt: skip
    come.add_argument("paths", type=Path, nargs="+", metavar="FILE", help=_("files, archives or folders"))
    come.add_argument("--dry-run", action="store_true", help=_("only say what would come"))
    add_json(come)


def run_export(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Write chats, to a file or to the terminal."""
    format_: Format = arguments.format
    ids = None if arguments.all else arguments.ids
    to: Path | None = arguments.to
    if to is None:
        return _print_chats(services, loop, ids, format_, arguments.branches)
    overwrite = (format_.joins or (ids is not None and len(ids) == 1)) and to.is_file() and _agrees(to)
    running = services.exporting.write(ids, format_, to, branches=arguments.branches, overwrite=overwrite)
    written = _wait(loop, running, _("Writing… {percent} %"))
    if "json" in arguments:
        print_json({"path": str(written.path), "chats": written.chats, "files": written.files})
    else:
        words = plural("{count} chat is in {path}", "{count} chats are in {path}", written.chats)
        print(words.format(count=written.chats, path=written.path))
    return 0


def _print_chats(
    services: Services, loop: Loop, ids: list[int] | None, format_: Format, branches: bool
) -> int:
    if ids is None:
        ids = [chat.id for chat in loop.result(services.history.chats())]
    if format_ is Format.PDF or (len(ids) != 1 and not format_.joins):
        raise UserError(
            _("This is more than one text can hold."), _("Say with --to where the files should go.")
        )
    for chat_id in ids:
        text = services.exporting.text(chat_id, format_, branches=branches, alone=len(ids) == 1)
        sys.stdout.write(loop.result(text))
    return 0


def _agrees(to: Path) -> bool:
    """Ask whether a file may be replaced; who cannot be asked has not agreed."""
    if not sys.stdin.isatty():
        return False
    question = _("{path} is there already. Replace it? [y/N] ").format(path=to)
    return input(question).strip().lower() in ("y", "yes")


def run_import(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Take chats over, or say what would come."""
    importing, paths = services.importing, arguments.paths
    running = importing.preview(paths) if arguments.dry_run else importing.commit(paths)
    found = _wait(loop, running, _("Reading… {percent} %"))
    nothing = nothing_found(found)
    if "json" in arguments:
        print_json(found.to_json())
        return 3 if nothing and not found.known else 0
    if nothing and not found.known:
        raise nothing
    _print_found(found)
    return 0


def _print_found(found: Found) -> None:
    if found.chats:
        print(came_words(found.chats, found.messages, found.sources))
        dates = [when(found.first)[:10], when(found.last)[:10]]
        print(_("From {first} to {last}").format(first=dates[0], last=dates[1]))
    if found.versions:
        print(versions_words(found.versions))
    if found.known:
        print(known_words(found.known))
    if found.left_out_count:
        print(left_out_words(found.left_out_count))
    for each in found.left_out[:_NAMED]:
        print(f"  {each.what}: {each.reason}")


def _wait(loop: Loop, running: Running[T], words: str) -> T:
    while not running.future.done():
        loop.tick()
        show_progress(words.format(percent=int(100 * running.done)))
    clear_progress()
    return running.future.result()


TRANSFERS = {"export": run_export, "import": run_import}
"""What carries out each word."""
