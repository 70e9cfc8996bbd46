"""Messages are taken out of a chat, brought back and copied; one path leads to the tip; all can be undone."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_parts import MODEL, STATS, get, problems

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Chat, Role, Status
from app.domain.errors import UserError
from app.domain.generation import Choice, Chosen
from app.domain.settings import Settings
from app.domain.undo import Act
from app.storage.chats import ChatStore
from app.storage.database import Database


def say(store: ChatStore, text: str, chat_id=None, parent_id=None):
    started = get(store.start_turn(chat_id, parent_id, text, MODEL, Settings()))
    get(store.finish(started.reply.id, text.upper(), Status.COMPLETE, STATS, ""))
    return started


def talk(store: ChatStore, *texts: str) -> tuple[int, list[int]]:
    """Say one thing after the other; return the chat's id and those of its messages."""
    chat_id, ids = None, []
    for text in texts:
        started = say(store, text, chat_id, ids[-1] if ids else None)
        chat_id, ids = started.chat.id, [*ids, started.path[-1].id, started.reply.id]
    return chat_id, ids


def shown(store: ChatStore, chat_id: int) -> list[str]:
    chat, tree = get(store.chat(chat_id))
    path = tree.path(chat.tip_id)
    read = get(store.path(chat_id, chat.tip_id))[1]
    assert path == read  # what is shown is what the model reads
    return [message.text for message in path]


def test_what_follows_a_deleted_message_moves_up(store: ChatStore, published: list) -> None:
    chat_id, ids = talk(store, "a", "b", "c")
    published.clear()
    assert get(store.trees.delete_message(ids[2])) == chat_id
    assert published == [Changed(Kind.TREES, (chat_id,)), Changed(Kind.CHATS, (chat_id,))]
    assert shown(store, chat_id) == ["a", "A", "B", "c", "C"]
    get(store.trees.delete_message(ids[1]))
    assert shown(store, chat_id) == ["a", "B", "c", "C"]
    with pytest.raises(UserError, match="can be answered"):
        get(store.start_reply(chat_id, ids[3], MODEL, Settings()))
    assert get(store.chat(chat_id))[1].messages[ids[3]].parent_id == ids[0]
    get(store.trees.delete_message(ids[0]))
    assert shown(store, chat_id) == ["B", "c", "C"]
    with pytest.raises(UserError, match="was deleted"):
        get(store.start_reply(chat_id, None, MODEL, Settings()))
    with pytest.raises(UserError, match="no longer"):
        get(store.trees.delete_message(ids[0]))


def test_with_the_end_deleted_another_version_or_what_was_before_is_shown(store: ChatStore) -> None:
    chat_id, ids = talk(store, "a", "b")
    again = get(store.start_reply(chat_id, ids[2], MODEL, Settings()))
    with pytest.raises(UserError, match="still being written"):
        get(store.trees.delete_message(again.reply.id))
    with pytest.raises(UserError, match="still being written"):
        get(store.trees.delete_branch(ids[0]))
    get(store.finish(again.reply.id, "other", Status.COMPLETE, STATS, ""))
    get(store.trees.delete_message(again.reply.id))
    assert shown(store, chat_id) == ["a", "A", "b", "B"]
    get(store.trees.delete_message(ids[3]))
    assert shown(store, chat_id) == ["a", "A", "b"]
    get(store.trees.delete_branch(ids[0]))
    assert shown(store, chat_id) == []
    assert get(store.chats())[0].tip_id is None
    say(store, "new", chat_id, None)
    assert shown(store, chat_id) == ["new", "NEW"]


def test_a_branch_goes_with_all_its_versions_and_no_other(store: ChatStore) -> None:
    chat_id, ids = talk(store, "a", "b", "c")
    other = say(store, "B2", chat_id, ids[1])
    get(store.trees.delete_branch(ids[2]))
    assert shown(store, chat_id) == ["a", "A", "B2", "B2"]
    get(store.undo.undo())
    get(store.update_chat(chat_id, tip_id=ids[5]))
    get(store.trees.delete_branch(ids[2]))
    assert shown(store, chat_id) == ["a", "A", "B2", "B2"]
    assert get(store.chats())[0].tip_id == other.reply.id


def test_every_version_stays_in_reach_when_a_question_goes(store: ChatStore) -> None:
    chat_id, ids = talk(store, "a", "b")
    other = say(store, "b2", chat_id, ids[1])
    get(store.trees.delete_message(other.path[-1].id))
    assert shown(store, chat_id) == ["a", "A", "B2"]
    tree = get(store.chat(chat_id))[1]
    assert tree.versions(other.reply.id) == [ids[2], other.reply.id]


def test_a_summary_of_what_was_deleted_is_not_read_again(store: ChatStore) -> None:
    chat_id, ids = talk(store, "a", "b", "c")
    early = get(store.summaries.add(chat_id, ids[1], "about a"))
    late = get(store.summaries.add(chat_id, ids[3], "about a and b"))
    get(store.trees.delete_message(ids[2]))
    assert get(store.summaries.of(chat_id)) == [early]
    get(store.undo.undo())
    assert get(store.summaries.of(chat_id)) == [early, late]


def test_deleted_messages_come_back_where_they_stood(store: ChatStore) -> None:
    chat_id, ids = talk(store, "a", "b", "c")
    get(store.trees.delete_message(ids[2]))
    get(store.trees.delete_message(ids[3]))
    get(store.trees.restore([ids[3]]))
    assert shown(store, chat_id) == ["a", "A", "B", "c", "C"]
    get(store.trees.restore([ids[2]]))
    assert shown(store, chat_id) == ["a", "A", "b", "B", "c", "C"]
    with pytest.raises(UserError, match="no longer"):
        get(store.trees.restore([ids[2]]))


def test_a_new_chat_begins_as_a_copy_of_a_path(store: ChatStore, database: Database) -> None:
    chat_id, ids = talk(store, "a", "b", "c")
    get(store.update_chat(chat_id, system_prompt="Be kind.", context=8192, pinned=True, draft="unsent"))
    likely = [Chosen(Choice(1, "b", -0.5), ())]
    again = get(store.start_reply(chat_id, ids[2], MODEL, Settings(seed=3)))
    get(store.append_chunk(again.reply.id, "x", reasoning="hm", chosen=likely))
    get(store.finish(again.reply.id, "x", Status.CUT, STATS, "", reasoning="hm"))
    get(store.pin_message(ids[0], True))
    summary = get(store.summaries.add(chat_id, ids[1], "about a"))
    get(store.mark_seen(again.reply.id, ids[2], summary.id))
    before = get(store.chat(chat_id))
    new_id = get(store.trees.branch(again.reply.id))
    assert get(store.chat(chat_id)) == before
    assert problems(database) == []
    chat, tree = get(store.chat(new_id))
    path = tree.path(chat.tip_id)
    assert [message.text for message in path] == ["a", "A", "b", "x"]
    assert [message.text for message in get(store.path(new_id, chat.tip_id))[1]] == ["a", "A", "b", "x"]
    assert (chat.title, chat.system_prompt, chat.context) == ("a (branch)", "Be kind.", 8192)
    assert (chat.pinned, chat.draft) == (False, "")
    assert get(store.chats())[1].id == new_id  # after the pinned one
    (copied,) = get(store.summaries.of(new_id))
    assert (copied.text, copied.until_id) == ("about a", path[1].id)
    last, old = path[-1], before[1].messages[again.reply.id]
    assert (last.seen_from, last.summary_id, last.reasoning) == (path[2].id, copied.id, "hm")
    assert (last.model, last.settings, last.stats, last.status) == (
        old.model,
        old.settings,
        old.stats,
        old.status,
    )
    assert path[0].pinned
    assert get(store.probabilities(last.id)) == likely
    assert store.undo.next_undo is Act.BRANCH
    get(store.undo.undo())
    assert [each.id for each in get(store.chats())] == [chat_id]
    get(store.undo.redo())
    assert get(store.chat(new_id)) == (chat, tree)


def test_copies_of_copies_are_numbered(store: ChatStore) -> None:
    ids = talk(store, "a")[1]
    first = get(store.trees.branch(ids[0]))
    second = get(store.trees.branch(get(store.chat(first))[0].tip_id))
    get(store.trees.branch(get(store.chat(second))[0].tip_id))
    assert [chat.title for chat in get(store.chats())] == ["a (branch 3)", "a (branch 2)", "a (branch)", "a"]


OPERATIONS = [
    *("say", "edit", "again", "continue", "show", "delete", "delete-branch", "restore", "branch"),
    *("rename", "pin", "move", "folder", "name-folder", "delete-folder", "tag", "untag", "archive"),
    *("delete-chat", "undo", "undo", "undo", "redo"),
]
SEQUENCES = st.lists(
    st.tuples(
        st.sampled_from(OPERATIONS),
        st.integers(0, 1000),
        st.text(max_size=8),
    ),
    min_size=1,
    max_size=14,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChatStore, Database]]:
    database = Database(tmp_path_factory.mktemp("trees") / "chats.db")
    yield ChatStore(database, Changes(lambda call: call())), database
    database.close()


def living(database: Database) -> dict[str, list[tuple]]:
    """Return the whole rows of what is not deleted."""

    def read(db) -> dict[str, list[tuple]]:
        rest = "WHERE deleted_at IS NULL"
        of_chats = f"{rest} AND chat_id IN (SELECT id FROM chats {rest})"
        tables = {
            "chats": rest,
            "messages": of_chats,
            "summaries": of_chats,
            "folders": "",
            "chat_tags": f"WHERE chat_id IN (SELECT id FROM chats {rest})",
        }
        return {
            name: db.execute(f"SELECT * FROM {name} {which}").fetchall() for name, which in tables.items()
        }

    return get(database.read(read))


def empty(db) -> None:
    db.execute("UPDATE chats SET tip_message_id = NULL")
    db.execute("DELETE FROM messages")
    db.execute("DELETE FROM chats")
    db.execute("DELETE FROM folders")


def deleted(database: Database, chat_id: int) -> list[int]:
    sql = "SELECT id FROM messages WHERE chat_id = ? AND deleted_at IS NOT NULL ORDER BY id"
    return get(database.read(lambda db: [row[0] for row in db.execute(sql, [chat_id]).fetchall()]))


def operate(store: ChatStore, database: Database, chat_id: int, what: str, pick: int, text: str) -> None:
    chat, tree = get(store.chat(chat_id))
    messages = list(tree.messages.values())
    some = messages[pick % len(messages)] if messages else None
    users = [message for message in messages if message.role is Role.USER]
    started = None
    match what:
        case "say":
            started = get(store.start_turn(chat_id, chat.tip_id, text, MODEL, Settings()))
        case "edit" if users:
            parent = users[pick % len(users)].parent_id
            started = get(store.start_turn(chat_id, parent, text, MODEL, Settings(), act=Act.EDIT))
        case "again" if users:
            started = get(store.start_reply(chat_id, users[pick % len(users)].id, MODEL, Settings()))
        case "continue" if some and some.status is Status.STOPPED:
            started = get(store.resume_reply(some.id, MODEL, Settings()))
        case "show" if some:
            get(store.update_chat(chat_id, tip_id=tree.newest_leaf(some.id)))
        case "delete" if some:
            get(store.trees.delete_message(some.id))
        case "delete-branch" if some:
            get(store.trees.delete_branch(some.id))
        case "restore" if gone := deleted(database, chat_id):
            get(store.trees.restore(gone[pick % len(gone) :]))
        case "branch" if some:
            get(store.trees.branch(some.id))
        case _:
            organise(store, chat, what, pick, text)
    if started is not None:
        get(store.finish(started.reply.id, started.reply.text + text, Status.STOPPED, STATS, ""))


def organise(store: ChatStore, chat: Chat, what: str, pick: int, text: str) -> None:
    chat_id, organiser = chat.id, store.organiser
    folders = [folder.id for folder in get(organiser.folders())]
    some = folders[pick % len(folders)] if folders else None
    match what:
        case "move":
            get(organiser.move([chat_id], some if pick % 3 else None))
        case "folder":
            get(organiser.new_folder(f"Folder {pick} {len(folders)} {text}", [chat_id]))
        case "name-folder" if some:
            get(organiser.rename_folder(some, f"Other {pick} {text}"))
        case "delete-folder" if some:
            get(organiser.delete_folder(some))
        case "tag":
            get(organiser.tag([chat_id], f"tag {pick % 3}"))
        case "untag":
            get(organiser.untag([chat_id], f"tag {pick % 3}"))
        case "archive":
            get(organiser.archive([each.id for each in get(store.chats())], pick % 2 == 0))
        case "delete-chat":
            get(organiser.delete([chat_id]))
        case "rename":
            get(store.update_chat(chat_id, title=text or "x"))
        case "pin":
            get(organiser.pin([chat_id], not chat.pinned))


def one_path(store: ChatStore) -> None:
    for listed in get(store.chats()):
        chat, tree = get(store.chat(listed.id))
        path = tree.path(chat.tip_id)
        assert (chat.tip_id is None) == (not tree.messages)
        assert path == get(store.path(chat.id, chat.tip_id))[1]
        if path:
            assert path[0].parent_id is None
            assert path[-1].id == chat.tip_id
        assert all(m.parent_id is None or m.parent_id in tree.messages for m in tree.messages.values())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEQUENCES)
def test_any_changes_leave_one_path_and_can_be_undone(desk, operations: list) -> None:
    store, database = desk
    get(store.undo.forget())
    get(database.write(empty))
    chat_id = say(store, "first").chat.id
    states, undone = [living(database)], []
    for what, pick, text in operations:
        if what == "undo" and len(states) > 1:
            undone.append(states.pop())
            get(store.undo.undo())
            assert living(database) == states[-1]
        elif what == "redo" and undone:
            states.append(undone.pop())
            get(store.undo.redo())
            assert living(database) == states[-1]
        elif what not in ("undo", "redo"):
            before = states[-1]
            try:
                operate(store, database, chat_id, what, pick, text)
            except UserError:  # the chat is deleted, or another folder has the name
                assert living(database) == before
            if (after := living(database)) != before:
                states.append(after)
                undone.clear()
        one_path(store)
    while len(states) > 1:
        undone.append(states.pop())
        get(store.undo.undo())
        assert living(database) == states[-1]
    for state in reversed(undone):
        get(store.undo.redo())
        assert living(database) == state
    assert problems(database) == []
