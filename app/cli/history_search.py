"""`fireside history search`: what was said, found by its words."""

import argparse
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from app.cli.loop import Loop
from app.cli.output import clear_progress, print_json, show_progress
from app.domain.chat import Chat, Role
from app.domain.errors import UserError
from app.domain.language import _, plural
from app.domain.names import tag_name
from app.domain.search import Found, Hit, Query, Snippet
from app.domain.search_text import title_has
from app.services import Services


def search(services: Services, loop: Loop, arguments: argparse.Namespace) -> None:
    """Print the chats whose titles have the words, and the messages that have them.

    Raises:
        UserError: For a folder that is not there.
    """
    query = _query(services, loop, arguments)
    _prepare(services, loop)
    found = loop.result(services.history.search.find(query, arguments.limit))
    chats = _titled(services, loop, query)
    if "json" in arguments:
        print_json(_found_object(found, chats))
    else:
        _print(found, chats)


def day(text: str) -> datetime:
    """Read "2026-11-24": the beginning of that day, here.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    with suppress(ValueError, OverflowError, OSError):
        found = datetime.strptime(text.strip(), "%Y-%m-%d")
        found.timestamp()
        return found
    raise argparse.ArgumentTypeError(_("{text} is not a day; write it like 2026-11-24").format(text=text))


def count(text: str) -> int:
    """Read how many results are wanted: 1 to 10,000.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    if not text.strip().isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(_("{text} is not a whole number from 1 to 10000").format(text=text))
    return int(text)


def _query(services: Services, loop: Loop, arguments: argparse.Namespace) -> Query:
    since, until = arguments.since, arguments.until
    return Query(
        " ".join(arguments.text),
        model=arguments.model or "",
        role=Role(arguments.role) if arguments.role else None,
        since=since and since.timestamp(),
        until=until and (until + timedelta(days=1)).timestamp(),
        folder_id=_folder(services, loop, arguments.folder),
        tag=_tag(services, loop, arguments.tag) if arguments.tag else "",
        code=arguments.code,
        chat_id=arguments.chat,
    )


def _folder(services: Services, loop: Loop, name: str | None) -> int | None:
    if name is None:
        return None
    wanted = " ".join(name.split()).casefold()
    folders = loop.result(services.history.organising.folders())
    found = next((folder.id for folder in folders if folder.name.casefold() == wanted), None)
    if found is None:
        raise UserError(_("There is no folder “{name}”.").format(name=name))
    return found


def _tag(services: Services, loop: Loop, name: str) -> str:
    wanted = tag_name(name)
    known = loop.result(services.history.organising.tags())
    return next((tag for tag in known if tag.casefold() == wanted.casefold()), wanted)


def _prepare(services: Services, loop: Loop) -> None:
    """Wait until all messages are prepared: a history of an older Fireside is not."""
    with suppress(UserError):  # where nothing can be written, what is prepared is searched
        while left := loop.result(services.history.search.prepare()):
            words = plural(
                "Preparing the search: {count} message is left…",
                "Preparing the search: {count} messages are left…",
                left,
            )
            show_progress(words.format(count=left))
    clear_progress()


def _titled(services: Services, loop: Loop, query: Query) -> list[Chat]:
    """Return the chats whose titles have the words; none where only some messages are asked for."""
    if not query.text.strip() or query.role or query.model or query.code or query.chat_id is not None:
        return []
    return [
        chat
        for chat in loop.result(services.history.chats())
        if title_has(chat.title, query.text)
        and query.folder_id in (None, chat.folder_id)
        and (not query.tag or query.tag in chat.tags)
        and (query.since is None or chat.updated_at >= query.since)
        and (query.until is None or chat.created_at < query.until)
    ]


def _print(found: Found, chats: list[Chat]) -> None:
    if not found.hits and not chats:
        print(_("Nothing was found."))
    for chat in chats:
        print(f"{chat.id}  {_when(chat.updated_at)}  {chat.title}")
    last = None
    for hit in found.hits:
        if hit.chat_id != last:
            print(f"\n{hit.chat_id}  {hit.title or _('New chat')}")
            last = hit.chat_id
        speaker = _("You") if hit.role is Role.USER else hit.model or _("Model")
        print(f"    {_when(hit.created_at)}  {speaker}: {_marked(hit.snippet)}")
    if found.more:
        print("\n" + _("There is more; --limit shows it."))


def _marked(snippet: Snippet) -> str:
    if not sys.stdout.isatty():
        return snippet.text
    parts, end = [], 0
    for first, last in snippet.marks:
        parts += [snippet.text[end:first], f"\x1b[1m{snippet.text[first:last]}\x1b[22m"]
        end = last
    return "".join([*parts, snippet.text[end:]])


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _found_object(found: Found, chats: list[Chat]) -> dict[str, Any]:
    return {
        "chats": [{"id": chat.id, "title": chat.title, "updated_at": chat.updated_at} for chat in chats],
        "messages": [_hit_object(hit) for hit in found.hits],
        "more": found.more,
    }


def _hit_object(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.message_id,
        "chat": hit.chat_id,
        "title": hit.title,
        "role": str(hit.role),
        "model": hit.model or None,
        "created_at": hit.created_at,
        "snippet": hit.snippet.text,
        "marks": [list(mark) for mark in hit.snippet.marks],
    }
