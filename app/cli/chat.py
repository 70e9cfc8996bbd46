"""`fireside chat`: a conversation in the terminal, kept in the same history as the window's."""

import argparse
import sys
from concurrent.futures import Future

from app.cli.loop import Loop
from app.cli.options import settings_from
from app.cli.output import clear_progress, report, show_progress
from app.domain.chat import Message, Started
from app.domain.errors import UserError
from app.domain.generation import Failed, Loading, Reading
from app.domain.language import _
from app.domain.model import Model
from app.domain.settings import Settings
from app.services import Services
from app.services.live import Update


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Talk until the end of input."""
    model = services.models.find(loop.result(services.models.refresh()), arguments.model)
    dialogue = Dialogue(services, loop, model, settings_from(arguments))
    print(
        _("{model} on this computer. Ctrl+C stops an answer; /help lists the commands.").format(
            model=model.name
        )
    )
    if model.caution:
        print(model.caution)
    while not dialogue.ended:
        try:
            line = input("\n> ")
        except (EOFError, KeyboardInterrupt):
            print()
            break
        try:
            dialogue.take(line)
        except UserError as error:
            report(error)
    return 0


class Voice:
    """Prints an answer as it comes, and what the model thinks before it dimmed; not at all in a pipe."""

    def __init__(self, *, dimmed: bool) -> None:
        """Print thoughts only where they can be `dimmed`."""
        self._dimmed = dimmed
        self._thinking = False

    def think(self, text: str) -> None:
        """Print what is thought."""
        if self._dimmed:
            clear_progress()
            self._thinking = True
            print(f"\x1b[2m{text}\x1b[22m", end="", flush=True)

    def speak(self, text: str) -> None:
        """Print what is answered, below the thoughts."""
        clear_progress()
        gap = "\n\n" if self._thinking else ""
        self._thinking = False
        print(gap + text, end="", flush=True)


class Dialogue:
    """One terminal's side of a chat.

    Attributes:
        ended: The person has said good-bye.
    """

    def __init__(self, services: Services, loop: Loop, model: Model, settings: Settings) -> None:
        """Begin a new chat with `model`; it is stored with the first message."""
        self._settings = settings
        self._services = services
        self._loop = loop
        self._model = model
        self._answer: Message | None = None
        self.ended = False
        self._commands = {
            "/new": (self._new, _("start a new chat")),
            "/model": (self._switch, _("answer with another model: /model NAME")),
            "/again": (self._again, _("answer the last question again")),
            "/continue": (self._continue, _("go on with an answer that broke off")),
            "/help": (self._help, _("show this list")),
            "/quit": (self._quit, _("leave; the chat is kept")),
        }

    def take(self, line: str) -> None:
        """Do what a line says: a command that starts with a slash, or words for the model."""
        word, _space, rest = line.strip().partition(" ")
        if word in self._commands:
            self._commands[word][0](rest.strip())
        elif line.strip():
            chat_id = self._answer.chat_id if self._answer else None
            parent_id = self._answer.id if self._answer else None
            conversation = self._services.conversation
            self._follow(conversation.send(chat_id, parent_id, line, self._model, self._settings))

    def _new(self, _rest: str) -> None:
        self._answer = None

    def _switch(self, name: str) -> None:
        self._model = self._services.models.find(self._services.models.known, name or None)
        print(_("{model} answers from now on.").format(model=self._model.name))
        if self._model.caution:
            print(self._model.caution)

    def _again(self, _rest: str) -> None:
        answer = self._last_answer()
        self._follow(self._services.conversation.regenerate(answer, self._model, self._settings))

    def _continue(self, _rest: str) -> None:
        answer = self._last_answer()
        self._follow(self._services.conversation.resume(answer, self._model, self._settings))

    def _last_answer(self) -> Message:
        if self._answer is None:
            raise UserError(_("There is no answer yet."))
        return self._answer

    def _help(self, _rest: str) -> None:
        for word, (_command, meaning) in self._commands.items():
            print(f"{word:<10} {meaning}")

    def _quit(self, _rest: str) -> None:
        self.ended = True

    def _follow(self, starting: "Future[Started]") -> None:
        """Print the answer as it comes, until it is stored; Ctrl+C stops it."""
        reply = self._loop.result(starting).reply
        conversation = self._services.conversation
        voice = Voice(dimmed=sys.stdout.isatty())
        while reply.id in conversation.live:
            try:
                self._loop.tick()
                for update in conversation.pump():
                    self._show(update, voice)
            except KeyboardInterrupt:
                conversation.stop(reply.chat_id)
        print()
        _chat, messages = self._loop.result(self._services.history.changed(reply.chat_id, (reply.id,)))
        self._answer = messages[0]

    def _show(self, update: Update, voice: Voice) -> None:
        match update.event:
            case Loading(fraction):
                text = _("Loading {model}… {percent} %")
                show_progress(text.format(model=self._model.name, percent=round(fraction * 100)))
            case Reading(done, total) if done:
                show_progress(_("Reading… {percent} %").format(percent=round(100 * done / total)))
            case Failed(error):
                report(error)
        if update.reasoning:
            voice.think(update.reasoning)
        if update.text:
            voice.speak(update.text)
