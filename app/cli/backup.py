"""`fireside backup`: a copy of all chats."""

import argparse

from app.cli.loop import Loop
from app.cli.output import print_json, size
from app.domain.backup_words import chats_words
from app.domain.language import _
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Make a backup among the others, or in a file of one's own."""
    backups = services.backups
    making = backups.make() if arguments.to is None else backups.copy_to(arguments.to.expanduser().absolute())
    made = loop.result(making)
    if "json" in arguments:
        print_json(made.to_json())
    else:
        text = _("The backup has {chats}, takes {size} and was read back without a fault:")
        print(text.format(chats=chats_words(made.chats), size=size(made.size)))
        print(made.path)
    return 0
