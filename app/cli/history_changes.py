"""What `fireside history` changes: titles, places, tags, and what is deleted, brought back or erased."""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from app.cli.loop import Loop
from app.cli.output import print_json
from app.domain.chat import Chat
from app.domain.errors import UserError
from app.domain.language import _, plural
from app.domain.trash import Trash
from app.domain.trash_words import erase_question
from app.services import Services
from app.services.organising import Organising

Change = Callable[[Services, Loop, list[int], argparse.Namespace], None]


def change(services: Services, loop: Loop, arguments: argparse.Namespace) -> list[Chat]:
    """Carry out one of `CHANGES`; return the chats as they are afterwards.

    Raises:
        UserError: When a chat is not there; then nothing has changed.
    """
    action = arguments.action
    ids = [arguments.id] if action == "rename" else list(dict.fromkeys(arguments.ids))
    _require(ids, _known(services, loop, deleted=action == "restore"))
    _CHANGES[action](services, loop, ids, arguments)
    found = {chat.id: chat for chat in _known(services, loop, deleted=action == "delete")}
    return [found[each] for each in ids]


def told(action: str, chats: Sequence[Chat]) -> str:
    """Return the sentence that says what was done."""
    count = len(chats)
    sentences = {
        "rename": _("The chat has another title now."),
        "pin": plural("{count} chat was pinned.", "{count} chats were pinned.", count),
        "unpin": plural("{count} chat is no longer pinned.", "{count} chats are no longer pinned.", count),
        "move": plural("{count} chat was moved.", "{count} chats were moved.", count),
        "tag": plural("The tags of {count} chat were set.", "The tags of {count} chats were set.", count),
        "archive": plural(
            "{count} chat is in the archive now.", "{count} chats are in the archive now.", count
        ),
        "unarchive": plural(
            "{count} chat is out of the archive now.", "{count} chats are out of the archive now.", count
        ),
        "delete": plural(
            "{count} chat was deleted; for 30 days it can be brought back.",
            "{count} chats were deleted; for 30 days they can be brought back.",
            count,
        ),
        "restore": plural("{count} chat is back.", "{count} chats are back.", count),
    }
    return sentences[action].format(count=count)


def erase(services: Services, loop: Loop, arguments: argparse.Namespace) -> None:
    """Erase what was deleted, after a question; say or print what is gone.

    Raises:
        UserError: When a chat is not among the deleted ones, or nobody can be asked.
    """
    trash = loop.result(services.trash.read())
    if not (arguments.all or arguments.ids):
        raise UserError(
            _("It was not said what to erase."), _("Name the chats by their numbers, or add --all.")
        )
    if not arguments.all:
        _require(arguments.ids, trash.chats, _("Only deleted chats can be erased."))
        named = tuple(chat for chat in trash.chats if chat.id in arguments.ids)
        trash = replace(trash, chats=named, messages=())
    messages = [message.id for each in trash.messages for message in each.messages]
    erased: dict[str, Any] = {"chats": [], "messages": []}
    if trash:
        _ask(trash, arguments)
        done = loop.result(services.trash.erase([chat.id for chat in trash.chats], messages))
        erased = {"chats": list(done.chats), "messages": list(done.messages)}
    if "json" in arguments:
        print_json(erased)
    else:
        print(_("It is gone for good.") if trash else _("Nothing was deleted that could be erased."))


def _ask(trash: Trash, arguments: argparse.Namespace) -> None:
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UserError(
            _("Erasing cannot be undone, and nobody is there to be asked."), _("Add --yes if you mean it.")
        )
    question = erase_question(trash)
    print(question.text, question.details, sep="\n")
    # Translators: the first letter of the answer that erases; the question is asked in the terminal.
    yes = _("y")
    if input(_("Erase it? [{yes}/N] ").format(yes=yes)).strip().casefold()[:1] not in {yes.casefold(), "y"}:
        raise UserError(_("Nothing was erased."))


def _known(services: Services, loop: Loop, *, deleted: bool) -> Sequence[Chat]:
    if deleted:
        return loop.result(services.trash.read()).chats
    return loop.result(services.history.chats())


def _require(ids: Sequence[int], chats: Sequence[Chat], hint: str = "") -> None:
    missing = sorted(set(ids) - {chat.id for chat in chats})
    if missing:
        raise UserError(
            plural("There is no chat {ids}.", "There are no chats {ids}.", len(missing)).format(
                ids=", ".join(map(str, missing))
            ),
            hint or _("“fireside history” lists the chats with their numbers."),
        )


def _move(services: Services, loop: Loop, ids: list[int], arguments: argparse.Namespace) -> None:
    organising = services.history.organising
    if arguments.out:
        loop.result(organising.move(ids, None))
        return
    folders = loop.result(organising.folders())
    name = " ".join(arguments.to.split()).casefold()
    found = next((folder for folder in folders if folder.name.casefold() == name), None)
    if found is None:
        loop.result(organising.new_folder(arguments.to, ids))
    else:
        loop.result(organising.move(ids, found.id))


def _tag(services: Services, loop: Loop, ids: list[int], arguments: argparse.Namespace) -> None:
    if not (arguments.add or arguments.remove):
        raise UserError(_("It was not said which tags."), _("Add --add NAME or --remove NAME."))
    for name in arguments.remove:
        loop.result(services.history.organising.untag(ids, name))
    for name in arguments.add:
        loop.result(services.history.organising.tag(ids, name))


def _organise(act: Callable[[Organising, list[int]], "Future[None]"]) -> Change:
    return lambda services, loop, ids, _arguments: loop.result(act(services.history.organising, ids))


_CHANGES: dict[str, Change] = {
    "rename": lambda services, loop, ids, arguments: loop.result(
        services.history.rename(ids[0], arguments.title)
    ),
    "pin": _organise(lambda organising, ids: organising.pin(ids, True)),
    "unpin": _organise(lambda organising, ids: organising.pin(ids, False)),
    "move": _move,
    "tag": _tag,
    "archive": _organise(lambda organising, ids: organising.archive(ids, True)),
    "unarchive": _organise(lambda organising, ids: organising.archive(ids, False)),
    "delete": _organise(lambda organising, ids: organising.delete(ids)),
    "restore": _organise(lambda organising, ids: organising.restore(ids)),
}
CHANGES = frozenset(_CHANGES)
