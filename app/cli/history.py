"""`fireside history`: the chats on this computer."""

import argparse
from datetime import datetime
from typing import Any

from app.cli.loop import Loop
from app.cli.output import print_columns, print_json
from app.domain.chat import Chat, Message, Role
from app.domain.language import _
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the chats, or print one."""
    as_json = "json" in arguments
    if arguments.action == "show":
        chat, tree = loop.result(services.history.open(arguments.id))
        path = tree.path(chat.tip_id)
        if as_json:
            print_json({**_chat_object(chat), "messages": [_message_object(message) for message in path]})
        else:
            _print_chat(chat, path)
        return 0
    chats = loop.result(services.history.chats())
    if as_json:
        print_json([_chat_object(chat) for chat in chats])
    elif chats:
        print_columns([(str(chat.id), _when(chat.updated_at), chat.title or _("New chat")) for chat in chats])
    else:
        print(_("There are no chats yet."))
    return 0


def _print_chat(chat: Chat, path: list[Message]) -> None:
    print(f"# {chat.title or _('New chat')}")
    for message in path:
        speaker = (
            _("You") if message.role is Role.USER else message.model.name if message.model else _("Model")
        )
        print(f"\n## {speaker}, {_when(message.created_at)}\n\n{message.text}")


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _chat_object(chat: Chat) -> dict[str, Any]:
    return {
        "id": chat.id,
        "title": chat.title,
        "created_at": chat.created_at,
        "updated_at": chat.updated_at,
        "pinned": chat.pinned,
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
