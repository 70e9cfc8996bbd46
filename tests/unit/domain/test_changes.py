import gettext
from pathlib import Path

import pytest

from app.domain import language
from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.model_problems import explain
from models_registry.errors import ModelFileError, Problem


def test_every_subscriber_hears_of_every_change_on_the_thread_that_shows() -> None:
    posted = []
    changes = Changes(posted.append)
    heard: list[tuple[str, Changed]] = []
    changes.subscribe(lambda change: heard.append(("a", change)))
    changes.subscribe(lambda change: heard.append(("b", change)))
    changes.publish(Changed(Kind.CHATS, (3,)))
    assert heard == []
    posted.pop()()
    assert heard == [("a", Changed(Kind.CHATS, (3,))), ("b", Changed(Kind.CHATS, (3,)))]


def test_a_user_error_reads_as_a_sentence_and_what_to_do() -> None:
    assert str(UserError("It rained.", "Take a coat.")) == "It rained. Take a coat."
    assert str(UserError("It rained.")) == "It rained."


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_of_a_file_has_its_sentence(problem: Problem) -> None:
    told = explain(ModelFileError(problem, "the detail"), "fox.gguf")
    assert "fox.gguf" in told.message
    assert "{" not in str(told)
    assert told.hint


def test_without_a_catalogue_people_read_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_current", gettext.NullTranslations())
    language.install(Path("/nowhere"), ["zh_CN"])
    assert language._("New chat") == "New chat"
    assert language.plural("{count} file", "{count} files", 2) == "{count} files"
