"""Turns, with the real store and a scripted engine."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_engine import Play, ScriptedEngine

from app.cli.loop import Loop
from app.domain.changes import Changes
from app.domain.chat import Message, Role, Status, Tree
from app.domain.errors import UserError
from app.domain.generation import Rendered, StopReason, Turn
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model, Origin
from app.domain.settings import MAX_SEED, Settings
from app.services.conversation import Conversation
from app.services.live import MOST_TOKENS, Phase
from app.storage.chats import ChatStore
from app.storage.database import Database

MODEL = Model(Path("/models/fox.gguf"), "Fox", Origin.OWN, 1, sha256="f0")
OTHER = Model(Path("/models/owl.gguf"), "Owl", Origin.OWN, 1, sha256="0e")


class Desk:
    """A conversation with everything below it, driven like a terminal drives it."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.changes = Changes(self.loop.post)
        self.database = Database(folder / "chats.db")
        self.store = ChatStore(self.database, self.changes)
        self.engine = ScriptedEngine(self.changes)
        self.reported: list[UserError] = []
        self.conversation = Conversation(self.store, self.engine, self.loop.post, self.reported.append)  # type: ignore[arg-type]

    def send(
        self,
        text: str,
        parent: Message | None = None,
        model: Model = MODEL,
        settings: Settings = Settings(),  # noqa: B008
    ) -> Message:
        chat_id = parent.chat_id if parent else None
        parent_id = parent.id if parent else None
        started = self.conversation.send(chat_id, parent_id, text, model, settings)  # type: ignore[arg-type]
        return self.loop.result(started).reply

    def finish(self, reply: Message) -> Message:
        while reply.id in self.conversation.live:
            self.conversation.pump()
            self.loop.tick()
        return self.tree(reply).messages[reply.id]

    def pump_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.conversation.pump()
            self.loop.tick()

    def tree(self, message: Message) -> Tree:
        return self.loop.result(self.store.chat(message.chat_id))[1]

    def shown(self, message: Message) -> list[str]:
        chat, tree = self.loop.result(self.store.chat(message.chat_id))
        return [m.text for m in tree.path(chat.tip_id)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for play in desk.engine.plays:
        play.job.cancel()
        play.step()
    desk.conversation.close()
    desk.database.close()


def cancelling_ends(play: Play) -> None:
    """Have a play end as soon as it is cancelled, as the engine does."""
    original = play.job.cancel

    def cancel() -> None:
        original()
        play.step()

    play.job.cancel = cancel  # type: ignore[method-assign]


def test_a_turn_from_the_first_word_to_the_last(desk: Desk) -> None:
    desk.engine.script = ["A fox is an animal."]
    answer = desk.finish(desk.send("What is a fox?"))
    assert (answer.role, answer.text, answer.status) == (
        Role.ASSISTANT,
        "A fox is an animal.",
        Status.COMPLETE,
    )
    assert answer.model is not None
    assert (answer.model.name, answer.model.sha256) == ("Fox", "f0")
    assert answer.stats is not None
    assert answer.stats.stop_reason is StopReason.END
    assert desk.engine.plays[0].request.turns == (Turn("user", "What is a fox?"),)


def test_the_model_reads_the_whole_path_and_the_system_prompt(desk: Desk) -> None:
    first = desk.finish(desk.send("One"))
    desk.loop.result(desk.store.update_chat(first.chat_id, system_prompt="Be brief."))
    desk.finish(desk.send("Two", first))
    assert desk.engine.plays[1].request.turns == (
        Turn("system", "Be brief."),
        Turn("user", "One"),
        Turn("assistant", "Hello there."),
        Turn("user", "Two"),
    )


def test_another_model_in_the_middle_keeps_everything(desk: Desk) -> None:
    first = desk.finish(desk.send("One", settings=Settings(temperature=0.5)))
    second = desk.finish(desk.send("Two", first, model=OTHER))
    assert desk.shown(second) == ["One", "Hello there.", "Two", "Hello there."]
    wrote = [m.model.name for m in desk.tree(second).messages.values() if m.model]
    assert wrote == ["Fox", "Owl"]
    assert first.settings is not None
    assert first.settings.temperature == 0.5
    assert desk.engine.plays[1].request.model == OTHER.path


def test_answering_again_and_editing_make_versions(desk: Desk) -> None:
    desk.engine.script = ["first", "second", "third"]
    first = desk.finish(desk.send("Question"))
    second = desk.finish(desk.loop.result(desk.conversation.regenerate(first, MODEL, Settings())).reply)
    tree = desk.tree(first)
    assert tree.versions(second.id) == [first.id, second.id]
    assert tree.messages[first.id].text == "first"
    started = desk.conversation.send(first.chat_id, None, "Better question", MODEL, Settings())
    third = desk.finish(desk.loop.result(started).reply)
    assert desk.shown(third) == ["Better question", "third"]
    assert {m.text for m in desk.tree(third).messages.values()} >= {"Question", "first", "second"}


def test_stop_keeps_what_was_written_and_continue_goes_on(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.script = ["one two three four", "five six"]
    reply = desk.send("Count")
    desk.engine.plays[0].step(2)
    desk.pump_until(lambda: desk.conversation.live[reply.id].text == "one two")
    desk.conversation.stop(reply.chat_id)
    desk.engine.plays[0].step()
    stopped = desk.finish(reply)
    assert (stopped.text, stopped.status) == ("one two", Status.STOPPED)

    again = desk.loop.result(desk.conversation.resume(stopped, OTHER, Settings())).reply
    request = desk.engine.plays[1].request
    assert request.continues
    assert request.turns == (Turn("user", "Count"), Turn("assistant", "one two"))
    desk.engine.plays[1].rest()
    whole = desk.finish(again)
    assert (whole.id, whole.text, whole.status) == (reply.id, "one twofive six", Status.COMPLETE)
    with pytest.raises(UserError, match="complete"):
        desk.conversation.resume(whole, MODEL, Settings())


def test_a_failure_keeps_its_sentence_with_the_answer(desk: Desk) -> None:
    desk.engine.script = [UserError("The model is gone.", "Pick another."), "Fine."]
    answer = desk.finish(desk.send("Hi"))
    assert (answer.status, answer.error, answer.text) == (
        Status.FAILED,
        "The model is gone. Pick another.",
        "",
    )
    again = desk.finish(desk.send("Hi again", answer))
    assert again.status is Status.COMPLETE


def test_what_streams_is_on_disk_before_the_end(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.script = ["one two three"]
    reply = desk.send("Count")
    desk.engine.plays[0].step(2)
    desk.pump_until(lambda: bool(desk.conversation.live[reply.id].pieces))
    assert desk.tree(reply).messages[reply.id].text == "one two"


def test_nothing_to_send_and_a_chat_that_is_busy_are_refused(desk: Desk) -> None:
    with pytest.raises(UserError, match="nothing to send"):
        desk.conversation.send(None, None, " \n", MODEL, Settings())
    with pytest.raises(UserError, match="temperature"):
        desk.conversation.send(None, None, "Hi", MODEL, Settings(temperature=99))
    desk.engine.hold = True
    reply = desk.send("Hi")
    with pytest.raises(UserError, match="still being written"):
        desk.conversation.send(reply.chat_id, reply.id, "Hurry", MODEL, Settings())
    assert len(desk.tree(reply).messages) == 2


def test_two_chats_are_answered_side_by_side(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.script = ["a b", "c d"]
    one, two = desk.send("One"), desk.send("Two")
    desk.engine.plays[1].rest()
    assert desk.finish(two).text == "c d"
    assert one.id in desk.conversation.live
    desk.engine.plays[0].rest()
    assert desk.finish(one).text == "a b"


def test_an_ending_that_the_disk_does_not_take_is_kept_and_stored_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.engine.hold = True
    desk.engine.script = ["precious words"]
    reply = desk.send("Hi")
    kept = desk.store.finish

    def full(*arguments: object, **more: object) -> object:
        return desk.database.write(
            lambda db: (_ for _ in ()).throw(UserError("Your disk is full.", "Make room."))
        )

    monkeypatch.setattr(desk.store, "finish", full)
    desk.engine.plays[0].rest()
    desk.pump_until(lambda: bool(desk.reported))
    live = desk.conversation.live[reply.id]
    assert (live.phase, live.text) == (Phase.UNSAVED, "precious words")
    assert (desk.reported[0].message, desk.reported[0].action) == ("Your disk is full.", "retry-save")
    monkeypatch.setattr(desk.store, "finish", kept)
    desk.conversation.retry_save()
    assert desk.finish(reply).text == "precious words"


def test_closing_in_the_middle_leaves_an_answer_to_be_continued(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.script = ["one two three"]
    reply = desk.send("Count")
    desk.engine.plays[0].step(1)
    desk.pump_until(lambda: bool(desk.conversation.live[reply.id].pieces))
    cancelling_ends(desk.engine.plays[0])
    desk.conversation.close()
    desk.loop.result(desk.database.write(lambda db: None))  # behind what `close` has given the writer
    answer = desk.tree(reply).messages[reply.id]
    assert (answer.text, answer.status) == ("one", Status.INTERRUPTED)


def test_what_the_model_thinks_is_kept_apart_from_the_answer_and_read_again(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.script = ["<think>Foxes have tails.</think>Yes, one.", "Fine."]
    reply = desk.send("Does a fox have a tail?")
    desk.engine.plays[0].step(2)
    desk.pump_until(lambda: desk.conversation.live[reply.id].reasoning == "Foxes have")
    on_disk = desk.tree(reply).messages[reply.id]
    assert (on_disk.text, on_disk.reasoning) == ("", "Foxes have")
    time.sleep(0.02)
    desk.engine.plays[0].rest()
    answer = desk.finish(reply)
    assert (answer.text, answer.reasoning) == ("Yes, one.", "Foxes have tails.")
    assert 0.02 <= answer.reasoning_seconds < 10
    desk.engine.hold = False
    desk.finish(desk.send("Sure?", answer))
    assert desk.engine.plays[1].request.turns[1] == Turn("assistant", "Yes, one.", "Foxes have tails.")


def test_an_answer_that_is_stopped_in_thought_goes_on_there(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.script = ["<think>one two</think>three", "<think> more</think>done"]
    reply = desk.send("Count")
    desk.engine.plays[0].step(1)
    desk.pump_until(lambda: bool(desk.conversation.live[reply.id].thoughts))
    desk.conversation.stop(reply.chat_id)
    desk.engine.plays[0].step()
    stopped = desk.finish(reply)
    assert (stopped.status, stopped.text, stopped.reasoning) == (Status.STOPPED, "", "one")
    desk.loop.result(desk.conversation.resume(stopped, MODEL, Settings()))
    request = desk.engine.plays[1].request
    assert (request.continues, request.turns[-1]) == (True, Turn("assistant", "", "one"))
    desk.engine.plays[1].rest()
    whole = desk.finish(reply)
    assert (whole.text, whole.reasoning) == ("done", "one more")
    assert whole.reasoning_seconds >= stopped.reasoning_seconds


def test_probabilities_are_kept_only_when_they_are_asked_for_and_not_without_end(desk: Desk) -> None:
    desk.engine.script = ["a b", "a b", "x " * (MOST_TOKENS + 5)]
    plain = desk.finish(desk.send("Hi"))
    asked = desk.finish(desk.send("Hi", settings=Settings(probabilities=3)))
    many = desk.finish(desk.send("Hi", settings=Settings(probabilities=1)))
    kept = [desk.loop.result(desk.store.probabilities(m.id)) for m in (plain, asked, many)]
    assert kept[0] == []
    assert [(c.choice.text, len(c.top)) for c in kept[1]] == [("a", 3), (" b", 3)]
    assert len(kept[2]) == MOST_TOKENS


def test_several_versions_are_written_side_by_side(desk: Desk) -> None:
    desk.engine.script = ["first", "a b", "c d", "e f"]
    first = desk.finish(desk.send("Question"))
    desk.engine.hold = True
    replies = [
        started.reply
        for started in desk.loop.result(desk.conversation.versions(first, MODEL, Settings(seed=MAX_SEED)))
    ]
    assert desk.tree(first).versions(first.id) == [first.id, *(reply.id for reply in replies)]
    assert desk.shown(first) == ["Question", ""]
    assert [play.request.settings.seed for play in desk.engine.plays[1:]] == [MAX_SEED, 0, 1]
    for play in desk.engine.plays[1:]:
        play.step()
    desk.pump_until(lambda: all(desk.conversation.live[reply.id].text for reply in replies))
    assert [desk.tree(first).messages[reply.id].text for reply in replies] == ["a", "c", "e"]
    with pytest.raises(UserError, match="still being written"):
        desk.conversation.regenerate(first, MODEL, Settings())
    desk.engine.plays[1].rest()
    assert desk.finish(replies[0]).text == "a b"
    desk.conversation.stop(first.chat_id)
    for play in desk.engine.plays[2:]:
        play.step()
    assert {desk.finish(reply).status for reply in replies[1:]} == {Status.STOPPED}


def test_closing_leaves_every_version_to_be_continued(desk: Desk) -> None:
    desk.engine.script = ["first", "a b", "c d", "e f"]
    first = desk.finish(desk.send("Question"))
    desk.engine.hold = True
    started = desk.loop.result(desk.conversation.versions(first, MODEL, Settings()))
    for play in desk.engine.plays[1:]:
        play.step()
        cancelling_ends(play)
    desk.conversation.close()
    desk.loop.result(desk.database.write(lambda db: None))
    kept = [desk.tree(first).messages[each.reply.id] for each in started]
    assert [(m.text, m.status) for m in kept] == [(word, Status.INTERRUPTED) for word in "ace"]


def test_the_exact_prompt_is_not_told_once_a_part_of_it_is_deleted(desk: Desk) -> None:
    first = desk.finish(desk.send("One"))
    second = desk.finish(desk.send("Two", first))
    desk.loop.result(desk.store.trees.delete_message(first.id))
    with pytest.raises(UserError, match="was deleted since"):
        desk.loop.result(desk.conversation.prompt(second))
    third = desk.finish(desk.send("Three", second))
    assert not desk.loop.result(desk.store.trees.is_missing(third))  # it was gone before


def test_the_exact_prompt_of_an_answer(desk: Desk) -> None:
    first = desk.finish(desk.send("One"))
    second = desk.finish(desk.send("Two", first))
    desk.loop.result(desk.store.update_chat(first.chat_id, system_prompt="Be brief."))

    def asked(answer: Message) -> Rendered:
        future = desk.conversation.prompt(answer)
        desk.pump_until(future.done)
        return future.result()

    assert asked(second) == Rendered((("<|user|>", True), ("Hi", False)), 17)
    assert [turn.text for turn in desk.engine.prompts[0].turns] == ["Be brief.", "One", "Hello there.", "Two"]
    assert desk.engine.prompts[0].model == MODEL.path
    desk.engine.prompt_parts = UserError("The model is gone.")
    with pytest.raises(UserError, match="gone"):
        asked(first)
    assert not desk.conversation.busy


def test_what_is_read_is_kept_under_its_chat_until_that_is_deleted(desk: Desk) -> None:
    answer = desk.finish(desk.send("One"))
    assert desk.engine.plays[0].request.chat == answer.chat_id
    desk.engine.hold = True
    reply = desk.send("Two", answer)
    desk.conversation.forget(answer.chat_id)
    assert desk.engine.plays[1].job.cancelled
    desk.engine.plays[1].step()
    desk.finish(reply)
    assert desk.engine.forgotten == [answer.chat_id]


def test_how_a_model_is_loaded_and_its_adapters_reach_the_engine_with_every_kind_of_turn(desk: Desk) -> None:
    loaded = (LoadOptions(kv_type="q8_0"), (Adapter(Path("fox.lora.gguf"), 0.5),))
    desk.engine.script[0] = UserError("It broke off.")
    failed = desk.finish(
        desk.loop.result(desk.conversation.send(None, None, "Tell", MODEL, Settings(), *loaded)).reply
    )
    desk.finish(desk.loop.result(desk.conversation.resume(failed, MODEL, Settings(), *loaded)).reply)
    desk.finish(desk.loop.result(desk.conversation.regenerate(failed, MODEL, Settings(), *loaded)).reply)
    desk.finish(desk.loop.result(desk.conversation.regenerate(failed, MODEL, Settings())).reply)
    asked = [(play.request.options, play.request.adapters) for play in desk.engine.plays]
    assert asked == [loaded, loaded, loaded, (LoadOptions(), ())]
