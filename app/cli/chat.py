"""`fireside chat`: a conversation in the terminal, kept in the same history as the window's."""

import argparse
import sys
from concurrent.futures import Future
from dataclasses import replace

from app.cli.loop import Loop
from app.cli.options import adapters_from, model_from, settings_from
from app.cli.output import Voice, report, show_waiting
from app.domain.budget import Policy, horizon
from app.domain.chat import Message, Started
from app.domain.errors import UserError
from app.domain.generation import Failed
from app.domain.language import _, plural
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model
from app.domain.settings import Settings
from app.services import Services
from app.services.live import Update


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Talk until the end of input."""
    settings = settings_from(arguments)
    model, options = model_from(services, loop, arguments)
    dialogue = Dialogue(
        services,
        loop,
        model,
        settings,
        options,
        adapters_from(arguments),
        arguments.when_full,
        incognito=arguments.incognito,
    )
    print(
        _(
            "{model} runs on this computer. Press Ctrl+C to stop an answer; type /help for the commands."
        ).format(model=model.name)
    )
    if arguments.incognito:
        print(_("Nothing of this chat is kept."))
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


class Dialogue:
    """One terminal's side of a chat.

    Attributes:
        ended: The person has said good-bye.
    """

    def __init__(
        self,
        services: Services,
        loop: Loop,
        model: Model,
        settings: Settings,
        options: LoadOptions,
        adapters: tuple[Adapter, ...],
        policy: Policy,
        *,
        incognito: bool,
    ) -> None:
        """Begin a new chat with `model`; it is stored with the first message, or, if `incognito`, nowhere."""
        self._incognito = incognito
        self._chat_id: int | None = None  # of an incognito chat
        self._policy = policy
        self._line: int | None = None
        self._settings = settings
        self._services = services
        self._loop = loop
        self._first = self._model = model
        self._options = options
        self._adapters = adapters
        self._answer: Message | None = None
        self.ended = False
        self._commands = {
            "/new": (self._new, _("start a new chat")),
            "/model": (self._switch, _("answer with another model: /model NAME")),
            "/again": (self._again, _("answer the last question again")),
            "/continue": (self._continue, _("continue an answer that was cut off")),
            "/full": (self._choose_policy, _("when the chat is full: /full summarise, drop, extend or ask")),
            "/help": (self._help, _("show this list")),
            "/quit": (self._quit, _("quit; the chat is saved")),
        }
        if incognito:
            self._commands["/keep"] = (self._keep, _("keep this chat in your history after all"))
            self._commands["/quit"] = (self._quit, _("quit; nothing of the chat is kept"))
        self._new("")

    def take(self, line: str) -> None:
        """Do what a line says: a command that starts with a slash, or words for the model."""
        word, _space, rest = line.strip().partition(" ")
        if word in self._commands:
            self._commands[word][0](rest.strip())
        elif line.strip():
            chat_id = self._answer.chat_id if self._answer else self._chat_id
            parent_id = self._answer.id if self._answer else None
            send = self._services.conversation.send
            self._follow(send(chat_id, parent_id, line, self._model, self._settings, *self._loaded))

    @property
    def _loaded(self) -> tuple[LoadOptions, tuple[Adapter, ...]]:
        """Return how the model is loaded; adapters and the draft fit only the model they were given for."""
        if self._model.path == self._first.path:
            return self._options, self._adapters
        return replace(self._options, draft=None), ()

    def _new(self, _rest: str) -> None:
        if self._chat_id is not None:
            self._services.incognito.forget(self._chat_id)
        if self._incognito:
            self._chat_id = self._loop.result(self._services.incognito.begin())
        self._answer = self._line = None

    def _keep(self, _rest: str) -> None:
        if self._chat_id is None:
            raise UserError(_("This chat is kept already."))
        self._last_answer()
        kept = self._loop.result(self._services.incognito.keep(self._chat_id))
        self._services.incognito.forget(self._chat_id)
        chat, tree = self._loop.result(self._services.history.open(kept))
        self._answer, self._chat_id, self._line = tree.messages[chat.tip_id or 0], None, None
        print(_("This chat is in your history now."))

    def _choose_policy(self, word: str) -> None:
        if word not in set(Policy):
            raise UserError(
                _("“{word}” is none of {policies}.").format(word=word, policies=", ".join(Policy)),
                _("Write for example /full drop."),
            )
        self._policy = Policy(word)
        if self._answer:
            self._loop.result(self._services.history.set_policy(self._answer.chat_id, self._policy))

    def _switch(self, name: str) -> None:
        self._model = self._services.models.find(self._services.models.known, name or None)
        print(_("{model} answers from now on.").format(model=self._model.name))
        if self._model.caution:
            print(self._model.caution)
        if self._loaded != (self._options, self._adapters):
            print(_("--lora and --draft are used only with {model}.").format(model=self._first.name))

    def _again(self, _rest: str) -> None:
        answer = self._last_answer()
        self._follow(
            self._services.conversation.regenerate(answer, self._model, self._settings, *self._loaded)
        )

    def _continue(self, _rest: str) -> None:
        answer = self._last_answer()
        self._follow(self._services.conversation.resume(answer, self._model, self._settings, *self._loaded))

    def _last_answer(self) -> Message:
        if self._answer is None:
            raise UserError(_("There is no answer yet."), _("Ask something first."))
        return self._answer

    def _help(self, _rest: str) -> None:
        for word, (_command, meaning) in self._commands.items():
            print(f"{word:<10} {meaning}")

    def _quit(self, _rest: str) -> None:
        self.ended = True

    def _follow(self, starting: "Future[Started]") -> None:
        """Print the answer as it comes, until it is stored; Ctrl+C stops it."""
        conversation = self._services.conversation
        while not starting.done():  # what is to be counted first comes with the pump
            conversation.pump()
            self._loop.tick()
        reply = self._loop.result(starting).reply
        voice = Voice(dimmed=sys.stdout.isatty())
        while reply.id in conversation.live:
            try:
                self._loop.tick()
                for update in conversation.pump():
                    self._show(update, voice)
            except KeyboardInterrupt:
                conversation.stop(reply.chat_id)
        print()
        chat, tree = self._loop.result(self._services.history.open(reply.chat_id))
        self._answer = tree.messages[reply.id]
        if chat.policy is not self._policy:
            self._loop.result(self._services.history.set_policy(chat.id, self._policy))
        self._say_unseen(tree.path(reply.id))

    def _say_unseen(self, path: list[Message]) -> None:
        """Say on standard error how much of the chat the model no longer sees, when that has changed."""
        line = horizon([(message.id, message.seen_from) for message in path])
        if line is None or line == self._line:
            return
        self._line = line
        count = sum(message.id < line and not message.pinned for message in path)
        if path[-1].summary_id is None:
            said = plural(
                "The model no longer sees the oldest message of this chat.",
                "The model no longer sees the {count} oldest messages of this chat.",
                count,
            )
        else:
            said = plural(
                "The model sees only a summary of the oldest message of this chat.",
                "The model sees only a summary of the {count} oldest messages of this chat.",
                count,
            )
        print(said.format(count=count), file=sys.stderr)

    def _show(self, update: Update, voice: Voice) -> None:
        if isinstance(update.event, Failed):
            report(update.event.error)
        else:
            show_waiting(update.event, self._model.name)
        if update.reasoning:
            voice.think(update.reasoning)
        if update.text:
            voice.speak(update.text)
