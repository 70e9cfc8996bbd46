"""Models of other apps: looked for only where a person allows it, and used where they lie."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_models import tiny

from app.domain.changes import Changes
from app.domain.model import Origin
from app.engine.worker import Engine
from app.services.adoption import Adoption
from app.services.models import Models
from app.storage.database import Database
from app.storage.preferences import PreferenceStore
from models_registry.library import Library


class Desk:
    """The services of one start."""

    def __init__(self, home: Path) -> None:
        changes = Changes(lambda call: call())
        self.database = Database(home / "chats.db")
        self.engine = Engine(changes)
        self.models = Models(Library(home / "models"), self.engine, changes, lambda _path, _sha256: None)
        self.adoption = Adoption(PreferenceStore(self.database), self.models)

    def close(self) -> None:
        self.models.close()
        self.engine.close()
        self.database.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "XDG_DATA_HOME",
        "XDG_CACHE_HOME",
        "OLLAMA_MODELS",
        "HF_HOME",
        "HF_HUB_CACHE",
        "LLAMA_CACHE",
    ):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def desk(tmp_path: Path, home: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def theirs(home: Path) -> Path:
    path = home / ".lmstudio" / "models" / "maker" / "Tiny-GGUF" / "tiny-Q8_0.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(tiny().encode())
    (path.parent / "broken-Q4_0.gguf").write_bytes(b"GGUF")
    return path


def test_nothing_is_looked_for_unless_it_is_allowed(desk: Desk, theirs: Path) -> None:
    assert not any(source.allowed for source in desk.adoption.sources().result(10))
    assert desk.adoption.scan().result(10) == []
    desk.adoption.allow("lm-studio", True).result(10)
    allowed = [source.name for source in desk.adoption.sources().result(10) if source.allowed]
    assert allowed == ["LM Studio"]
    found = desk.adoption.scan().result(10)
    assert [(each.app, each.path.name, bool(each.problem)) for each in found] == [
        ("LM Studio", "tiny-Q8_0.gguf", False),
        ("LM Studio", "broken-Q4_0.gguf", True),
    ]
    desk.adoption.allow("lm-studio", False).result(10)
    assert desk.adoption.scan().result(10) == []


def test_what_is_allowed_is_kept(tmp_path: Path, desk: Desk, theirs: Path) -> None:
    desk.adoption.allow("lm-studio", True).result(10)
    desk.adoption.allow("jan", True).result(10)
    again = Desk(tmp_path)
    assert {source.key for source in again.adoption.sources().result(10) if source.allowed} == {
        "lm-studio",
        "jan",
    }
    again.close()


def test_a_model_is_used_where_it_lies(desk: Desk, theirs: Path) -> None:
    before = {path: path.stat() for path in theirs.parents[3].rglob("*")}
    (usable, _broken) = desk.adoption.scan(("lm-studio",)).result(10)
    model = desk.adoption.adopt(usable).result(10)
    assert (model.path, model.origin) == (theirs, Origin.LINKED)
    assert theirs in [each.path for each in desk.models.known]
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: status.st_mtime_ns for path, status in before.items()
    }
