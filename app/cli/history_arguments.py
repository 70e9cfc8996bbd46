"""The words of `fireside history`."""

import argparse

from app.cli.history_search import count, day
from app.cli.options import add_json
from app.cli.transfer import add_transfer
from app.domain.language import _


def add_history(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add the command with all that can be done to chats."""
    history = commands.add_parser("history", parents=[everywhere], help=_("list the chats on this computer"))
    history.add_argument("--folder", metavar="NAME", help=_("only those in this folder"))
    history.add_argument("--tag", metavar="NAME", help=_("only those with this tag"))
    which = history.add_mutually_exclusive_group()
    which.add_argument(
        "--archived", action="store_true", help=_("those in the archive, which are otherwise left out")
    )
    which.add_argument(
        "--deleted", action="store_true", help=_("those that were deleted and can be brought back")
    )
    history.add_argument(
        "--sort", choices=("used", "newest", "title"), default="used", help=_("in this order (default: used)")
    )
    add_json(history)
    what = history.add_subparsers(dest="action", metavar="ACTION")
    show = what.add_parser("show", parents=[everywhere], help=_("print one chat"))
    show.add_argument("id", type=int)
    add_json(show)
    _add_search(what, everywhere)
    _add_order(what, everywhere)
    _add_end(what, everywhere)
    add_transfer(what, everywhere)


def _add_search(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add what finds messages."""
    search = what.add_parser("search", parents=[everywhere], help=_("find what was said, by its words"))
    search.add_argument(
        "text", nargs="+", metavar="TEXT",
        help=_('words that must all be there; "words in quotes" stand together, and the last one may go on'),
    )  # fmt: skip
    search.add_argument("--model", metavar="NAME", help=_("only answers of the model of this name"))
    search.add_argument("--role", choices=("user", "assistant"), help=_("only what you said, or a model"))
    search.add_argument("--since", type=day, metavar="DAY", help=_("only from this day on, as 2026-11-24"))
    search.add_argument("--until", type=day, metavar="DAY", help=_("only until this day, as 2026-11-24"))
    search.add_argument("--folder", metavar="NAME", help=_("only those in this folder"))
    search.add_argument("--tag", metavar="NAME", help=_("only those with this tag"))
    search.add_argument("--chat", type=int, metavar="ID", help=_("only in this chat"))
    search.add_argument("--code", action="store_true", help=_("only messages with a block of code"))
    search.add_argument("--limit", type=count, default=50, metavar="N", help=_("at most N results"))
    add_json(search)


def _add_order(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add what puts chats in order."""
    rename = what.add_parser(
        "rename", parents=[everywhere],
        help=_("give a chat another title; an empty one leaves it to its first message"),
    )  # fmt: skip
    rename.add_argument("id", type=int)
    rename.add_argument("title")
    _add_chats(what, everywhere, "pin", _("keep chats at the top"))
    _add_chats(what, everywhere, "unpin", _("no longer keep chats at the top"))
    move = _add_chats(what, everywhere, "move", _("move chats to a folder"))
    where = move.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar="FOLDER", help=_("this one; it is made if it is not there"))
    where.add_argument("--out", action="store_true", help=_("out of the folder where they are"))
    tag = _add_chats(what, everywhere, "tag", _("give chats tags, or take them off"))
    tag.add_argument("--add", action="append", default=[], metavar="NAME", help=_("give them this tag"))
    tag.add_argument("--remove", action="append", default=[], metavar="NAME", help=_("take this tag off"))
    _add_chats(what, everywhere, "archive", _("put chats out of the way"))
    _add_chats(what, everywhere, "unarchive", _("take chats out of the archive"))


def _add_end(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add what deletes chats, and what brings them back."""
    _add_chats(what, everywhere, "delete", _("delete chats; for 30 days they can be brought back"))
    _add_chats(what, everywhere, "restore", _("bring deleted chats back"))
    erase = what.add_parser(
        "erase", parents=[everywhere], help=_("erase deleted chats for good, so that nothing is left of them")
    )
    erase.add_argument("ids", type=int, nargs="*", metavar="ID")
    erase.add_argument("--all", action="store_true", help=_("everything that was deleted"))
    erase.add_argument("--yes", action="store_true", help=_("without asking"))
    add_json(erase)


def _add_chats(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]",
    everywhere: argparse.ArgumentParser,
    name: str,
    words: str,
) -> argparse.ArgumentParser:
    made = what.add_parser(name, parents=[everywhere], help=words)
    made.add_argument("ids", type=int, nargs="+", metavar="ID")
    add_json(made)
    return made
