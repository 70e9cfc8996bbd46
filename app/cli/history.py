"""`fireside history`: the chats on this computer."""

import argparse
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.cli.history_changes import CHANGES, change, erase, told
from app.cli.history_search import search
from app.cli.loop import Loop
from app.cli.output import print_columns, print_json
from app.cli.transfer import TRANSFERS
from app.domain.chat import Chat, Message
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.names import tag_name
from app.domain.trash import Trash
from app.domain.trash_words import rest_words
from app.services import Services
from app.services.exports.formats import Format


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the chats, print one, or change some."""
    as_json = "json" in arguments
    if arguments.action in TRANSFERS:
        return TRANSFERS[arguments.action](services, loop, arguments)
    if arguments.action == "show" and as_json:
        chat, tree = loop.result(services.history.open(arguments.id))
        messages = [_message_object(message) for message in tree.path(chat.tip_id)]
        print_json({**_chat_object(chat, _folders(services, loop)), "messages": messages})
    elif arguments.action == "show":
        print(loop.result(services.exporting.text(arguments.id, Format.MARKDOWN)), end="")
    elif arguments.action in CHANGES:
        chats = change(services, loop, arguments)
        if as_json:
            folders = _folders(services, loop)
            print_json([_chat_object(chat, folders) for chat in chats])
        else:
            print(told(arguments.action, chats))
    elif arguments.action == "search":
        search(services, loop, arguments)
    elif arguments.action == "erase":
        erase(services, loop, arguments)
    else:
        _list(services, loop, arguments, as_json=as_json)
    return 0


def _list(services: Services, loop: Loop, arguments: argparse.Namespace, *, as_json: bool) -> None:
    folders = _folders(services, loop)
    trash = loop.result(services.trash.read()) if arguments.deleted else Trash()
    found = trash.chats if arguments.deleted else loop.result(services.history.chats())
    chats = _chosen(found, folders, arguments)
    if as_json:
        print_json([_chat_object(chat, folders) for chat in chats])
    elif chats:
        print_columns([_columns(chat, folders) for chat in chats])
    elif arguments.folder or arguments.tag or arguments.archived or arguments.deleted:
        print(_("There is no such chat."))
    else:
        print(_("There are no chats yet."))
    if trash.messages and not as_json:
        print(_("Deleted messages of other chats are listed in the window, under “Recently deleted”."))


def _chosen(chats: Iterable[Chat], folders: Mapping[int, str], arguments: argparse.Namespace) -> list[Chat]:
    """Return the chats that were asked for, in the order that was asked for.

    Raises:
        UserError: For a folder that is not there.
    """
    found = [chat for chat in chats if arguments.deleted or chat.archived == arguments.archived]
    if arguments.folder is not None:
        name = " ".join(arguments.folder.split()).casefold()
        ids = [each for each, known in folders.items() if known.casefold() == name]
        if not ids:
            raise UserError(_("There is no folder “{name}”.").format(name=arguments.folder))
        found = [chat for chat in found if chat.folder_id in ids]
    if arguments.tag is not None:
        name = tag_name(arguments.tag).casefold()
        found = [chat for chat in found if name in map(str.casefold, chat.tags)]
    if arguments.sort == "newest":
        found.sort(key=lambda chat: (chat.created_at, chat.id), reverse=True)
    elif arguments.sort == "title":
        found.sort(key=lambda chat: chat.title.casefold())
    return found


def _folders(services: Services, loop: Loop) -> dict[int, str]:
    return {folder.id: folder.name for folder in loop.result(services.history.organising.folders())}


def _columns(chat: Chat, folders: Mapping[int, str]) -> tuple[str, ...]:
    marks = [folders.get(chat.folder_id or 0, ""), *(f"#{tag}" for tag in chat.tags)]
    if chat.deleted_at is not None:
        marks.append(rest_words(chat.deleted_at))
    title = chat.title or _("New chat")
    return str(chat.id), _when(chat.updated_at), title, " ".join(mark for mark in marks if mark)


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _chat_object(chat: Chat, folders: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": chat.id,
        "title": chat.title,
        "created_at": chat.created_at,
        "updated_at": chat.updated_at,
        "pinned": chat.pinned,
        "folder": folders.get(chat.folder_id or 0),
        "tags": list(chat.tags),
        "archived": chat.archived,
        "deleted_at": chat.deleted_at,
        "system_prompt": chat.system_prompt,
    }


def _message_object(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "parent_id": message.parent_id,
        "role": str(message.role),
        "text": message.text,
        "reasoning": message.reasoning,
        "reasoning_seconds": message.reasoning_seconds,
        "status": str(message.status),
        "created_at": message.created_at,
        "model": {"name": message.model.name, "sha256": message.model.sha256} if message.model else None,
        "settings": message.settings.to_json() if message.settings else None,
        "stats": message.stats.to_json() if message.stats else None,
        "error": message.error,
    }
