"""What the store keeps of turns and chats, and what it says has changed."""

import time
from pathlib import Path

import pytest
from storage_parts import MODEL, STATS, get

from app.domain.changes import Changed, Kind
from app.domain.chat import Message, ModelIdentity, Role, Started, Status
from app.domain.errors import UserError
from app.domain.generation import Choice, Chosen
from app.domain.settings import Settings
from app.storage import turns as turns_module
from app.storage.chats import ChatStore
from app.storage.database import Database

SETTINGS = Settings(temperature=0.5, seed=7)


@pytest.fixture
def first(store: ChatStore, published: list[Changed]) -> Started:
    """A chat with one finished turn."""
    started = get(store.start_turn(None, None, "# Hello\nthere", MODEL, SETTINGS))
    get(store.finish(started.reply.id, "Hi.", Status.COMPLETE, STATS, ""))
    published.clear()
    return started


def say(store: ChatStore, chat_id: int | None, parent_id: int | None, text: str = "Again") -> Started:
    return get(store.start_turn(chat_id, parent_id, text, MODEL, SETTINGS))


def test_a_new_chat_can_begin_with_a_system_prompt(store: ChatStore) -> None:
    words = "Be a fox.\ud800"  # half a character, which no database takes
    started = get(store.start_turn(None, None, "Hello", MODEL, SETTINGS, system_prompt=words))
    kept = get(store.chat(started.chat.id))[0].system_prompt
    assert kept == started.chat.system_prompt
    assert kept.startswith("Be a fox.")
    again = store.start_turn(
        started.chat.id, started.reply.id, "More", MODEL, SETTINGS, system_prompt="An owl."
    )
    assert get(again).chat.system_prompt == kept


def test_a_turn_in_a_new_chat(store: ChatStore, published: list[Changed]) -> None:
    before = time.time()
    started = say(store, None, None, "# Hello\nthere")
    user, reply = *started.path, started.reply
    assert user == Message(
        user.id, started.chat.id, None, Role.USER, "# Hello\nthere", created_at=user.created_at
    )
    assert reply == Message(
        reply.id,
        started.chat.id,
        user.id,
        Role.ASSISTANT,
        "",
        Status.WRITING,
        reply.created_at,
        MODEL,
        SETTINGS,
    )
    assert before <= user.created_at <= reply.created_at <= time.time()
    assert started.chat.title == "Hello"
    assert started.chat.tip_id == reply.id
    assert started.chat.model_path == MODEL.path
    chat, tree = get(store.chat(started.chat.id))
    assert chat == started.chat
    assert tree.path(chat.tip_id) == [user, reply]
    assert get(store.chats()) == [chat]
    assert published == [Changed(Kind.CHATS, (chat.id,)), Changed(Kind.MESSAGES, (user.id, reply.id))]


def test_a_turn_is_durable_and_so_is_its_end(
    store: ChatStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = []
    write = database.write
    monkeypatch.setattr(
        database,
        "write",
        lambda fn, durable=False, committed=None: (
            flags.append(durable),
            write(fn, durable=durable, committed=committed),
        )[1],
    )
    started = say(store, None, None)
    get(store.append_chunk(started.reply.id, "a"))
    get(store.finish(started.reply.id, "ab", Status.STOPPED, None, ""))
    get(store.resume_reply(started.reply.id, MODEL, SETTINGS))
    get(store.start_reply(started.chat.id, started.path[-1].id, MODEL, SETTINGS))
    assert flags == [True, False, True, True, True]


def test_a_following_turn_reads_all_before_it(store: ChatStore, first: Started) -> None:
    second = say(store, first.chat.id, first.reply.id)
    assert [message.text for message in second.path] == ["# Hello\nthere", "Hi.", "Again"]
    assert second.chat.title == "Hello"
    assert second.chat.updated_at > first.chat.updated_at


def test_chunks_are_read_in_their_order_until_the_end_replaces_them(
    store: ChatStore, database: Database, published: list[Changed]
) -> None:
    started = say(store, None, None)
    published.clear()
    pieces = ["Ein ", "Wört\x00chen ", "你好", "", "\n", *map(str, range(20))]
    for piece in pieces:
        store.append_chunk(started.reply.id, piece)
    _chat, tree = get(store.chat(started.chat.id))
    assert published == []
    get(store.append_chunk(started.reply.id, "!"))
    _chat, tree = get(store.chat(started.chat.id))
    assert tree.messages[started.reply.id].text == "".join(pieces) + "!"
    get(store.finish(started.reply.id, "All of it.", Status.CUT, STATS, ""))
    assert published == [Changed(Kind.MESSAGES, (started.reply.id,))]
    get(store.append_chunk(started.reply.id, "too late"))
    _chat, tree = get(store.chat(started.chat.id))
    reply = tree.messages[started.reply.id]
    assert (reply.text, reply.status, reply.stats) == ("All of it.", Status.CUT, STATS)
    assert get(database.read(lambda db: db.table("chunks").count)) == 0


def test_a_failed_answer_says_why(store: ChatStore) -> None:
    started = say(store, None, None)
    get(store.finish(started.reply.id, "", Status.FAILED, None, "No memory left."))
    reply = get(store.chat(started.chat.id))[1].messages[started.reply.id]
    assert (reply.status, reply.error, reply.stats) == (Status.FAILED, "No memory left.", None)


def test_another_version_stands_beside_the_first(
    store: ChatStore, first: Started, published: list[Changed]
) -> None:
    other = ModelIdentity("Other", "ab", "/other.gguf")
    second = get(store.start_reply(first.chat.id, first.path[0].id, other, Settings()))
    chat, tree = get(store.chat(first.chat.id))
    assert tree.versions(first.reply.id) == [first.reply.id, second.reply.id]
    assert (chat.tip_id, chat.model_path) == (second.reply.id, "/other.gguf")
    assert second.path == first.path
    assert second.reply.model == other
    assert tree.messages[first.reply.id].text == "Hi."
    changed = {change.kind: change.ids for change in published}
    assert changed[Kind.CHATS] == (chat.id,)
    assert second.reply.id in changed[Kind.MESSAGES]


def test_an_edit_is_a_version_too(store: ChatStore, first: Started) -> None:
    edited = say(store, first.chat.id, None, "Hello you")
    chat, tree = get(store.chat(first.chat.id))
    assert tree.versions(first.path[0].id) == [first.path[0].id, edited.path[0].id]
    assert [message.text for message in tree.path(chat.tip_id)] == ["Hello you", ""]
    get(store.update_chat(chat.id, tip_id=first.reply.id))
    chat, tree = get(store.chat(chat.id))
    assert [message.text for message in tree.path(chat.tip_id)] == ["# Hello\nthere", "Hi."]


def test_a_broken_off_answer_goes_on_in_its_own_message(store: ChatStore, published: list[Changed]) -> None:
    started = say(store, None, None)
    get(store.finish(started.reply.id, "Once upon", Status.STOPPED, STATS, ""))
    published.clear()
    resumed = get(store.resume_reply(started.reply.id, MODEL, Settings()))
    assert resumed.path == started.path
    assert (resumed.reply.id, resumed.reply.text) == (started.reply.id, "Once upon")
    assert (resumed.reply.status, resumed.reply.stats) == (Status.WRITING, None)
    assert Changed(Kind.MESSAGES, (started.path[0].id, started.reply.id)) in published
    get(store.append_chunk(started.reply.id, " a time"))
    assert get(store.chat(started.chat.id))[1].messages[started.reply.id].text == "Once upon a time"


def test_only_a_broken_off_answer_can_go_on(store: ChatStore, first: Started) -> None:
    running = say(store, first.chat.id, first.reply.id)
    for message_id in (first.reply.id, first.path[0].id, running.reply.id):
        with pytest.raises(UserError, match="cannot be continued"):
            get(store.resume_reply(message_id, MODEL, SETTINGS))
    assert get(store.chat(first.chat.id))[1].messages[first.reply.id].text == "Hi."


def test_what_does_not_belong_together_is_refused(
    store: ChatStore, first: Started, published: list[Changed]
) -> None:
    other = say(store, None, None)
    published.clear()
    before = get(store.chat(first.chat.id))
    count = len(get(store.chats()))
    chat_id, user_id, reply_id = first.chat.id, first.path[0].id, first.reply.id
    refused = [
        store.start_turn(chat_id, other.reply.id, "x", MODEL, SETTINGS),
        store.start_turn(chat_id, 999, "x", MODEL, SETTINGS),
        store.start_turn(999, None, "x", MODEL, SETTINGS),
        store.start_turn(None, reply_id, "x", MODEL, SETTINGS),
        store.start_reply(chat_id, other.path[0].id, MODEL, SETTINGS),
        store.start_reply(chat_id, reply_id, MODEL, SETTINGS),
        store.start_reply(chat_id, None, MODEL, SETTINGS),
        store.start_reply(999, user_id, MODEL, SETTINGS),
        store.resume_reply(999, MODEL, SETTINGS),
        store.finish(999, "x", Status.COMPLETE, None, ""),
        store.update_chat(999, title="x"),
        store.update_chat(chat_id, tip_id=other.reply.id),
        store.chat(999),
        store.changed(999, ()),
        store.delete_chat(999),
        store.restore_chat(999),
    ]
    for future in refused:
        with pytest.raises(UserError):
            get(future)
    assert published == []
    assert get(store.chat(chat_id)) == before
    assert len(get(store.chats())) == count


def test_a_deleted_chat_is_out_of_sight_until_it_is_restored(
    store: ChatStore, first: Started, published: list[Changed]
) -> None:
    chat_id = first.chat.id
    before = get(store.chat(chat_id))
    get(store.delete_chat(chat_id))
    assert get(store.chats()) == []
    for future in (
        store.chat(chat_id),
        store.changed(chat_id, (first.reply.id,)),
        store.start_turn(chat_id, first.reply.id, "x", MODEL, SETTINGS),
        store.start_reply(chat_id, first.path[0].id, MODEL, SETTINGS),
        store.resume_reply(first.reply.id, MODEL, SETTINGS),
    ):
        with pytest.raises(UserError, match="no longer exists"):
            get(future)
    get(store.restore_chat(chat_id))
    assert get(store.chats()) == [before[0]]
    assert get(store.chat(chat_id)) == before
    assert published == [Changed(Kind.CHATS, (chat_id,))] * 2


def test_an_answer_still_lands_in_a_chat_that_was_deleted_meanwhile(store: ChatStore) -> None:
    started = say(store, None, None)
    get(store.delete_chat(started.chat.id))
    get(store.append_chunk(started.reply.id, "a"))
    get(store.finish(started.reply.id, "ab", Status.COMPLETE, STATS, ""))
    get(store.restore_chat(started.chat.id))
    assert get(store.chat(started.chat.id))[1].messages[started.reply.id].text == "ab"


def test_fields_of_a_chat(store: ChatStore, first: Started, published: list[Changed]) -> None:
    fields = {"pinned": True, "title": "T", "system_prompt": "S", "model_path": "/m"}
    for name, value in fields.items():
        get(store.update_chat(first.chat.id, **{name: value}))
        chat = get(store.chats())[0]
        assert getattr(chat, name) == value
        assert chat.updated_at == first.chat.updated_at
    assert published == [Changed(Kind.CHATS, (first.chat.id,))] * len(fields)
    get(store.update_chat(first.chat.id, title=""))
    assert get(store.chats())[0].title == "Hello"


def test_a_draft_is_kept_quietly_until_the_turn(
    store: ChatStore, first: Started, published: list[Changed]
) -> None:
    other = say(store, None, None)
    published.clear()
    get(store.update_chat(first.chat.id, draft="Not y"))
    get(store.update_chat(first.chat.id, draft="Not yet"))
    assert published == []
    assert [chat.id for chat in get(store.chats())] == [other.chat.id, first.chat.id]
    assert get(store.chat(first.chat.id))[0].draft == "Not yet"
    assert say(store, first.chat.id, first.reply.id).chat.draft == ""


def test_chats_are_ordered_by_pin_and_last_turn_whatever_the_clock_does(
    store: ChatStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [say(store, None, None, f"{i}") for i in range(3)]
    monkeypatch.setattr(turns_module.time, "time", lambda: 1000.0)
    made += [say(store, None, None, f"{i}") for i in range(3, 5)]
    say(store, made[1].chat.id, made[1].reply.id)
    assert [chat.title for chat in get(store.chats())] == ["1", "4", "3", "2", "0"]
    get(store.update_chat(made[2].chat.id, pinned=True))
    assert [chat.title for chat in get(store.chats())] == ["2", "1", "4", "3", "0"]


def test_changed_returns_only_what_is_of_the_chat(store: ChatStore, first: Started) -> None:
    other = say(store, None, None)
    ids = (first.reply.id, other.reply.id, first.path[0].id, 999)
    chat, messages = get(store.changed(first.chat.id, ids))
    assert chat.id == first.chat.id
    assert [message.id for message in messages] == [first.path[0].id, first.reply.id]
    assert get(store.changed(first.chat.id, ()))[1] == []


def test_a_hash_is_filled_in_where_it_was_missing(
    store: ChatStore, first: Started, published: list[Changed]
) -> None:
    known = ModelIdentity("Known", "old", MODEL.path)
    turn = get(store.start_turn(first.chat.id, first.reply.id, "x", known, SETTINGS))
    other = get(
        store.start_turn(first.chat.id, turn.reply.id, "y", ModelIdentity("O", "", "/other"), SETTINGS)
    )
    published.clear()
    assert get(store.fill_sha256(MODEL.path, "new")) == [first.reply.id]
    assert published == [Changed(Kind.MESSAGES, (first.reply.id,))]
    _chat, tree = get(store.chat(first.chat.id))
    hashes = [tree.messages[started.reply.id].model.sha256 for started in (first, turn, other)]
    assert hashes == ["new", "old", ""]
    assert get(store.fill_sha256(MODEL.path, "newer")) == []
    assert len(published) == 1


def test_a_row_that_makes_no_sense_hides_nothing_else(
    store: ChatStore, first: Started, database: Database
) -> None:
    last = first
    broken = [
        {"settings": "{not json"},
        {"settings": "[1]"},
        {"settings": '{"temperature": "hot"}'},
        {"settings": '{"temperature": 99}'},
        {"settings": "[" * 100_000},
        {"stats": '{"stop_reason": "tired"}'},
        {"stats": '{"stop_reason": "end"}'},
        {"stats": "7"},
        {"status": "dreaming"},
        {"role": "tool"},
    ]
    for change in broken:
        last = say(store, first.chat.id, last.reply.id)
        get(store.finish(last.reply.id, "Fine.", Status.COMPLETE, STATS, ""))
        get(
            database.write(
                lambda db, message_id=last.reply.id, change=change: db.table("messages").update(
                    message_id, change
                )
            )
        )
    chat, tree = get(store.chat(first.chat.id))
    path = tree.path(chat.tip_id)
    assert len(path) == 2 + 2 * len(broken)
    answers = path[3::2]
    assert {message.text for message in answers} == {"Fine."}
    assert {message.status for message in answers} == {Status.COMPLETE}
    assert {message.role for message in answers} == {Role.ASSISTANT}
    assert [message.settings is None for message in answers] == [True] * 5 + [False] * 5
    assert [message.stats is None for message in answers] == [False] * 5 + [True] * 3 + [False] * 2
    assert len(say(store, first.chat.id, last.reply.id).path) == len(path) + 1


def test_bytes_that_are_no_text_hide_nothing_else(
    store: ChatStore, first: Started, database: Database
) -> None:
    get(
        database.write(
            lambda db: db.execute(
                "UPDATE messages SET text = CAST(x'48ff69' AS TEXT) WHERE parent_id IS NULL"
            )
        )
    )
    _chat, tree = get(store.chat(first.chat.id))
    assert [message.text for message in tree.messages.values()] == ["H\ufffdi", "Hi."]


def test_a_damaged_parent_leads_nowhere_but_ends(
    store: ChatStore, first: Started, database: Database
) -> None:
    sql = "UPDATE messages SET parent_id = ? WHERE id = ?"
    get(database.write(lambda db: db.execute(sql, [first.reply.id, first.path[0].id])))
    assert [m.id for m in say(store, first.chat.id, first.reply.id).path][:2] == [
        first.path[0].id,
        first.reply.id,
    ]
    assert len(get(store.chat(first.chat.id))[1].messages) == 4


def test_half_a_surrogate_pair_is_no_reason_to_lose_a_text(store: ChatStore) -> None:
    started = say(store, None, None, "half \ud83d whole \ud83d\ude00")
    assert started.path[0].text == "half \ufffd whole 😀"
    get(store.append_chunk(started.reply.id, "\udc00"))
    get(store.finish(started.reply.id, "end \udc00", Status.COMPLETE, None, ""))
    get(store.update_chat(started.chat.id, draft="\ud83d"))
    chat, tree = get(store.chat(started.chat.id))
    assert (tree.messages[started.reply.id].text, chat.draft) == ("end \ufffd", "\ufffd")


def test_a_path_of_thousands_is_followed(store: ChatStore, first: Started, database: Database) -> None:
    def grow(db) -> int:
        parent = first.reply.id
        for i in range(2500):
            row = {
                "chat_id": first.chat.id,
                "parent_id": parent,
                "role": "assistant" if i % 2 else "user",
                "status": "complete",
                "created_at": 1.0,
                "text": f"{i}",
            }
            parent = db.table("messages").insert(row).last_pk
        return parent

    started = say(store, first.chat.id, get(database.write(grow)), "last")
    assert [m.text for m in started.path[2:]] == [*map(str, range(2500)), "last"]
    get(database.write(lambda db: db.execute("DELETE FROM chats")))  # cascades, however long the chain
    assert get(database.read(lambda db: db.table("messages").count)) == 0


def test_all_of_it_is_there_at_the_next_start(
    store: ChatStore, first: Started, database: Database, tmp_path: Path, reopen
) -> None:
    before = get(store.chat(first.chat.id))
    database.close()
    again = ChatStore(reopen(tmp_path / "chats.db"), store._changes)
    assert get(again.chat(first.chat.id)) == before


def test_what_is_thought_is_kept_beside_the_text(store: ChatStore) -> None:
    started = say(store, None, None)
    message_id, chat_id = started.reply.id, started.chat.id

    def thought() -> tuple[str, str, float]:
        message = get(store.chat(chat_id))[1].messages[message_id]
        return message.text, message.reasoning, message.reasoning_seconds

    store.append_chunk(message_id, "", reasoning="Hm", reasoning_seconds=0.5)
    get(store.append_chunk(message_id, "Yes", reasoning=", well.", reasoning_seconds=1.5))
    assert thought() == ("Yes", "Hm, well.", 1.5)
    get(
        store.finish(
            message_id, "Yes.", Status.STOPPED, STATS, "", reasoning="Hm, well.", reasoning_seconds=1.6
        )
    )
    assert thought() == ("Yes.", "Hm, well.", 1.6)
    resumed = get(store.resume_reply(message_id, MODEL, SETTINGS)).reply
    assert (resumed.reasoning, resumed.reasoning_seconds) == ("Hm, well.", 1.6)
    get(store.append_chunk(message_id, " No", reasoning=" But", reasoning_seconds=2.0))
    assert thought() == ("Yes. No", "Hm, well. But", 2.0)


def test_versions_that_begin_together(store: ChatStore, first: Started, published: list[Changed]) -> None:
    published.clear()
    each = [Settings(seed=1), Settings(seed=2)]
    started = get(store.start_replies(first.chat.id, first.path[0].id, MODEL, each))
    ids = [one.reply.id for one in started]
    chat, tree = get(store.chat(first.chat.id))
    assert tree.versions(first.reply.id) == [first.reply.id, *ids]
    assert [one.reply.settings for one in started] == each
    assert (chat.tip_id, [one.path for one in started]) == (ids[0], [first.path] * 2)
    assert published == [
        Changed(Kind.CHATS, (chat.id,)),
        Changed(Kind.MESSAGES, (first.path[0].id, *ids)),
    ]
    path_chat, path = get(store.path(chat.id, ids[1]))
    assert (path_chat, [message.id for message in path]) == (chat, [first.path[0].id, ids[1]])


def chosen(text: str, *logprobs: float) -> Chosen:
    top = tuple(Choice(number, f"{text}{number}", logprob) for number, logprob in enumerate(logprobs))
    return Chosen(Choice(7, text, logprobs[0]), top)


def test_probabilities_are_read_when_they_are_asked_for_and_only_then(
    store: ChatStore, database: Database
) -> None:
    started = say(store, None, None)
    tokens = [chosen("a\n", -0.25, -1.5), chosen("\ufffd", -2.0, float("-inf")), chosen("é", *[-0.5] * 30)]
    store.append_chunk(started.reply.id, "a\n", chosen=tokens[:1])
    store.append_chunk(started.reply.id, "", chosen=tokens[1:])
    get(store.finish(started.reply.id, "a\né", Status.COMPLETE, STATS, ""))
    kept = get(store.probabilities(started.reply.id))
    assert [one.choice for one in kept] == [one.choice for one in tokens]
    assert kept[0] == tokens[0]
    assert [len(one.top) for one in kept] == [2, 2, 20]
    assert kept[1].top[1].logprob < -1000
    get(store.append_chunk(started.reply.id, "too late", chosen=tokens))
    assert len(get(store.probabilities(started.reply.id))) == len(tokens)
    get(database.write(lambda db: db.execute("UPDATE probabilities SET tokens = '[1]\nnull\n' || tokens")))
    assert get(store.probabilities(started.reply.id)) == kept  # what makes no sense is left out
    get(database.write(lambda db: db.execute("DROP TABLE probabilities")))
    assert get(store.chat(started.chat.id))[1].messages[started.reply.id].text == "a\né"


def test_a_chat_is_named_unless_somebody_else_did(
    store: ChatStore, first: Started, published: list[Changed]
) -> None:
    chat_id, before = first.chat.id, first.chat.title
    published.clear()
    assert get(store.name_chat(chat_id, "A greeting", instead_of=before)) is True
    assert published == [Changed(Kind.CHATS, (chat_id,))]
    assert get(store.name_chat(chat_id, "Another", instead_of=before)) is False
    assert get(store.chat(chat_id))[0].title == "A greeting"
    assert len(published) == 1
