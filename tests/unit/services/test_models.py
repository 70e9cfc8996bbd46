"""The list of models, with the real registry and the real files."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_engine import ScriptedEngine

from app.cli.loop import Loop
from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.model import Model, Origin
from app.services.models import Models
from models_registry.library import Library
from models_registry.starter import SHA256


class Shelf:
    """The service, with what it told others."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        changes = Changes(self.loop.post)
        self.changes: list[Changed] = []
        changes.subscribe(self.changes.append)
        self.engine = ScriptedEngine(changes)
        self.identified: dict[str, str] = {}
        self.models = Models(Library(folder), self.engine, changes, self.identified.__setitem__)  # type: ignore[arg-type]

    def refresh(self) -> list[Model]:
        return self.loop.result(self.models.refresh())

    def add(self, path: Path) -> Model:
        return self.loop.result(self.models.add(path))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "models")
    yield shelf
    shelf.models.close()


def test_the_starter_is_there_from_the_beginning(shelf: Shelf, smollm2: Path) -> None:
    (starter,) = shelf.refresh()
    assert (starter.path, starter.origin, starter.name) == (smollm2, Origin.STARTER, "SmolLM2 135M Instruct")
    assert (starter.quantization, starter.context, starter.has_template) == ("Q4_1", 8192, True)
    assert shelf.models.known == [starter]
    assert Changed(Kind.MODELS) in shelf.changes


def test_every_sha256_is_computed_in_the_background(shelf: Shelf, smollm2: Path) -> None:
    shelf.refresh()
    while not shelf.models.known[0].sha256:
        shelf.loop.tick()
    assert shelf.models.known[0].sha256 == SHA256 == shelf.identified[str(smollm2)]


def test_a_file_is_used_where_it_lies(shelf: Shelf, gemma: Path) -> None:
    model = shelf.add(gemma)
    assert (model.path, model.origin, model.has_template) == (gemma, Origin.LINKED, False)
    assert gemma in [known.path for known in shelf.models.known]
    shelf.loop.result(shelf.models.forget(model))
    assert gemma.exists()
    assert gemma not in [known.path for known in shelf.models.known]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"GGUF", "ends too early"), (b"PK\3\4" * 100, "not a GGUF model"), (None, "cannot be found")],
)
def test_what_is_no_model_is_refused_in_words_and_changes_nothing(
    shelf: Shelf, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "thing.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        shelf.add(path)
    assert len(shelf.refresh()) == 1


def test_a_file_that_went_away_stays_listed_with_the_reason(
    shelf: Shelf, smollm2: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(smollm2, tmp_path / "copy.gguf"))
    shelf.add(copy)
    copy.unlink()
    gone = next(model for model in shelf.refresh() if model.path == copy)
    assert "cannot be found" in gone.problem
    with pytest.raises(UserError, match="cannot be found"):
        shelf.models.find(shelf.models.known, str(copy))
    assert shelf.models.preferred(str(copy)) == shelf.models.known[0]


@pytest.mark.parametrize(
    "wanted", [None, "smollm2", "SMOLLM2 135M INSTRUCT", "135m", "SmolLM2-135M-Instruct.Q4_1.gguf"]
)
def test_a_model_is_found_by_what_people_call_it(shelf: Shelf, smollm2: Path, wanted: str | None) -> None:
    assert shelf.models.find(shelf.refresh(), wanted).path == smollm2


def test_a_path_that_is_not_listed_will_do(shelf: Shelf, gemma: Path) -> None:
    assert shelf.models.find(shelf.refresh(), str(gemma)).name.startswith("Gemma")


def test_a_name_that_fits_none_or_several_is_answered_in_words(shelf: Shelf, gemma: Path) -> None:
    shelf.add(gemma)
    with pytest.raises(UserError, match="no model called “llama 9”"):
        shelf.models.find(shelf.models.known, "llama 9")
    with pytest.raises(UserError, match="matches several"):
        shelf.models.find(shelf.models.known, "m")


def test_the_preferred_model_is_the_chats_then_the_loaded_then_the_first(shelf: Shelf, gemma: Path) -> None:
    linked = shelf.add(gemma)
    starter = shelf.models.known[0]
    assert shelf.models.preferred() == starter
    shelf.models.load(linked)
    assert shelf.models.preferred() == linked
    assert shelf.models.preferred(str(starter.path)) == starter


def test_without_any_model_there_is_a_sentence(shelf: Shelf) -> None:
    with pytest.raises(UserError, match="no model on this computer"):
        shelf.models.find([], None)
