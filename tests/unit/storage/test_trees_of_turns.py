"""Whatever is said, edited, answered again and switched: one path leads to the tip, and no word changes."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_parts import MODEL, get

from app.domain.changes import Changes
from app.domain.chat import CONTINUABLE, Role, Started, Status
from app.domain.settings import Settings
from app.storage.chats import ChatStore
from app.storage.database import Database

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["say", "edit", "again", "show", "continue"]),
        st.integers(0, 1000),
        st.sampled_from([Status.COMPLETE, Status.STOPPED, Status.FAILED, Status.WRITING]),
        st.text(max_size=20),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatStore]:
    database = Database(tmp_path_factory.mktemp("trees") / "chats.db")
    yield ChatStore(database, Changes(lambda call: call()))
    database.close()


def take(store: ChatStore, chat_id: int, step: str, pick: int, text: str) -> Started | None:
    chat, tree = get(store.chat(chat_id))
    messages = list(tree.messages.values())
    users = [message for message in messages if message.role is Role.USER]
    user, message = users[pick % len(users)], messages[pick % len(messages)]
    broken = [m for m in messages if m.role is Role.ASSISTANT and m.status in CONTINUABLE]
    if step == "say":
        return get(store.start_turn(chat_id, chat.tip_id, text, MODEL, Settings()))
    if step == "edit":
        return get(store.start_turn(chat_id, user.parent_id, text, MODEL, Settings()))
    if step == "again":
        return get(store.start_reply(chat_id, user.id, MODEL, Settings()))
    if step == "continue" and broken:
        return get(store.resume_reply(broken[pick % len(broken)].id, MODEL, Settings()))
    get(store.update_chat(chat_id, tip_id=tree.newest_leaf(message.id)))
    return None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_one_path_and_no_word_changed(one_store: ChatStore, steps: list) -> None:
    store = one_store
    chat_id = get(store.start_turn(None, None, "first", MODEL, Settings())).chat.id
    kept: dict[int, str] = {}
    for step, pick, status, text in steps:
        started = take(store, chat_id, step, pick, text)
        if started is not None:
            whole = started.reply.text + text
            get(store.append_chunk(started.reply.id, text))
            if status is not Status.WRITING:
                get(store.finish(started.reply.id, whole, status, None, ""))
            kept |= {started.reply.id: whole, started.path[-1].id: started.path[-1].text}
            assert [m.id for m in started.path] == [m.parent_id for m in (*started.path[1:], started.reply)]
        chat, tree = get(store.chat(chat_id))
        path = tree.path(chat.tip_id)
        assert path[0].parent_id is None
        assert path[-1].id == chat.tip_id
        assert [m.role for m in path] == [Role.USER, Role.ASSISTANT] * (len(path) // 2)
        assert all(m.id in tree.children for m in tree.messages.values() if m.role is Role.USER)
        assert {message_id: tree.messages[message_id].text for message_id in kept} == kept
