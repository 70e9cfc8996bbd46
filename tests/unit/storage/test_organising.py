"""Folders, tags, pins and the archive, for one chat and for many; all of it can be undone."""

import pytest
from storage_parts import MODEL, get, problems

from app.domain.changes import Changed, Kind
from app.domain.chat import Chat
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.domain.undo import Act
from app.storage.chats import ChatStore


@pytest.fixture
def ids(store: ChatStore, published: list) -> list[int]:
    made = [get(store.start_turn(None, None, text, MODEL, Settings())).chat.id for text in "abc"]
    published.clear()
    return made


def chat(store: ChatStore, chat_id: int) -> Chat:
    return next(each for each in get(store.chats()) if each.id == chat_id)


def test_folders_take_chats_and_give_them_back(store: ChatStore, ids: list[int], published: list) -> None:
    work = get(store.organiser.new_folder("  Work\t", ids[:2]))
    assert published == [Changed(Kind.FOLDERS, (work.id,)), Changed(Kind.CHATS, tuple(ids[:2]))]
    home = get(store.organiser.new_folder("home"))
    assert [folder.name for folder in get(store.organiser.folders())] == ["home", "Work"]
    get(store.organiser.move([ids[0]], home.id))
    get(store.organiser.move([ids[1]], None))
    assert [chat(store, each).folder_id for each in ids] == [home.id, None, None]
    get(store.organiser.rename_folder(home.id, "Home"))
    assert get(store.organiser.delete_folder(home.id)) == [ids[0]]
    assert chat(store, ids[0]).folder_id is None
    assert get(store.undo.undo()).act is Act.DELETE_FOLDER
    assert chat(store, ids[0]).folder_id == home.id
    assert [folder.name for folder in get(store.organiser.folders())] == ["Home", "Work"]
    for _step in range(4):
        get(store.undo.undo())
    assert [chat(store, each).folder_id for each in ids] == [work.id, work.id, None]
    get(store.undo.undo())
    assert get(store.organiser.folders()) == []
    assert [chat(store, each).folder_id for each in ids] == [None] * 3


def test_folders_that_cannot_be(store: ChatStore, ids: list[int]) -> None:
    organiser = store.organiser
    work = get(organiser.new_folder("Work"))
    for name, words in (("", "needs a name"), (" \n\u200b", "needs a name"), ("x" * 61, "at most 60")):
        with pytest.raises(UserError, match=words):
            organiser.new_folder(name)
    for call in (
        organiser.new_folder("WORK"),
        organiser.rename_folder(get(organiser.new_folder("Home")).id, "work"),
        organiser.rename_folder(99, "Other"),
        organiser.delete_folder(99),
        organiser.move(ids, 99),
        organiser.move([*ids, 99], work.id),
        organiser.new_folder("Other", [99]),
    ):
        with pytest.raises(UserError):
            get(call)
    get(organiser.rename_folder(work.id, "WORK"))
    assert [folder.name for folder in get(organiser.folders())] == ["Home", "WORK"]
    assert {each.folder_id for each in get(store.chats())} == {None}


def test_tags_come_and_go_for_many_chats(store: ChatStore, ids: list[int], published: list) -> None:
    organiser = store.organiser
    get(organiser.tag(ids[:2], "#Idea"))
    get(organiser.tag(ids, "idea"))  # the same, however it is written
    get(organiser.tag(ids[:1], "天空"))
    assert [chat(store, each).tags for each in ids] == [("Idea", "天空"), ("Idea",), ("Idea",)]
    assert get(organiser.tags()) == ["Idea", "天空"]
    get(organiser.untag(ids, "IDEA"))
    assert [chat(store, each).tags for each in ids] == [("天空",), (), ()]
    assert published[-1] == Changed(Kind.CHATS, tuple(ids))
    get(store.undo.undo())
    assert chat(store, ids[2]).tags == ("Idea",)
    get(store.undo.redo())
    assert chat(store, ids[2]).tags == ()
    with pytest.raises(UserError, match="A tag needs a name"):
        organiser.tag(ids, " # ")


def test_many_chats_at_once(store: ChatStore, ids: list[int]) -> None:
    organiser = store.organiser
    get(organiser.pin(ids[:2], True))
    get(organiser.archive(ids, True))
    assert [(chat(store, each).pinned, chat(store, each).archived) for each in ids] == [
        (True, True),
        (True, True),
        (False, True),
    ]
    get(organiser.delete(ids[1:]))
    assert [each.id for each in get(store.chats())] == ids[:1]
    with pytest.raises(UserError, match="no longer"):
        get(organiser.pin(ids, False))  # one of them is deleted: none is changed
    assert chat(store, ids[0]).pinned
    for act in (Act.DELETE_CHAT, Act.ARCHIVE, Act.PIN):
        assert get(store.undo.undo()).act is act
    assert {(each.pinned, each.archived) for each in get(store.chats())} == {(False, False)}


def test_a_step_is_only_what_changes(store: ChatStore, ids: list[int]) -> None:
    get(store.organiser.archive(ids, False))
    get(store.organiser.move(ids, None))
    get(store.organiser.untag(ids, "nothing"))
    assert store.undo.next_undo is Act.SEND


def test_what_is_gone_leaves_nothing_behind(store: ChatStore, database, ids: list[int]) -> None:
    get(store.organiser.tag(ids, "x"))
    get(store.organiser.delete(ids))
    assert get(store.organiser.tags()) == []
    assert problems(database) == []
