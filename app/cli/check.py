"""`fireside check`: whether the chats are whole."""

import argparse
from collections.abc import Iterator

from app.cli.loop import Loop
from app.cli.output import print_json
from app.domain.backup_words import chats_words
from app.domain.errors import UserError
from app.domain.findings import Findings
from app.domain.language import _, plural
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Say what is wrong.

    Raises:
        UserError: When anything is.
    """
    found = loop.result(services.backups.check())
    if "json" in arguments:
        print_json(found.to_json())
    else:
        for line in _lines(found):
            print(line)
    if found.file:
        raise UserError(
            _("The file of your chats is damaged."), _("Run “fireside restore” to bring back a backup.")
        )
    if not found.is_well:
        raise UserError(_("Something is wrong with your chats, but all that is there can be read."))
    return 0


def _lines(found: Findings) -> Iterator[str]:
    if found.is_well:
        text = plural(
            "All is well: {chats}, {count} message.",
            "All is well: {chats}, {count} messages.",
            found.messages,
        )
        yield text.format(chats=chats_words(found.chats), count=found.messages)
    for said in found.file:
        yield _("The file is damaged: {reason}").format(reason=said)
    if found.index:
        yield _("The index for searching is damaged; the next search makes it anew.")
    for message_id, title in found.changed:
        yield _("Message {id} in “{chat}” is not what was saved.").format(
            id=message_id, chat=title or _("New chat")
        )
    for table, count in found.orphans.items():
        text = plural(
            "{count} row of {table} belongs to nothing.", "{count} rows of {table} belong to nothing.", count
        )
        yield text.format(count=count, table=table)
