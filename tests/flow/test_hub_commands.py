"""What the terminal does with a hub, from the words on the command line to the files on the disk."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback_hub import GOOD_TOKEN, Fault, LoopbackHub, Seeded
from tiny_models import tiny

from app.domain.changes import Changes
from app.domain.download import State
from app.main import main
from app.storage.database import Database
from app.storage.downloads import DownloadStore

SMALL = "maker/Small-GGUF"
Run = Callable[..., str]


@pytest.fixture
def hub(smollm2: Path) -> Iterator[LoopbackHub]:
    with LoopbackHub() as hub:
        hub.add(SMALL, {"small-Q4_1.gguf": smollm2, "README.md": b"# Small"}, downloads=1234,
                tags=["gguf", "license:apache-2.0"])  # fmt: skip
        files = {f"large-{name}.gguf": Seeded(5000, 1, b"GGUF") for name in ("Q4_K_M", "Q8_0")}
        hub.add("maker/Large-GGUF", files, gated="manual")
        hub.add("maker/Nothing", {"model.safetensors": b"0"})
        hub.add("maker/Climbs", {"../climbs-Q4_K_M.gguf": b"GGUF"})
        yield hub
        assert hub.trapped == []
        assert hub.violations == []


@pytest.fixture
def run(tmp_path: Path, hub: LoopbackHub, capsys: pytest.CaptureFixture[str]) -> Run:
    home = tmp_path / "home"

    def run(*words: str, code: int = 0) -> str:
        assert main(["models", *words, "--home", str(home)]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.out if code == 0 else said.err

    run("hub", "--mirror", hub.endpoint)
    return run


def test_how_the_hub_is_reached_is_shown_kept_and_tried(run: Run, hub: LoopbackHub) -> None:
    told = json.loads(run("hub", "--test", "--json"))
    assert told["endpoint"] == told["answered"] == hub.endpoint
    assert (told["proxy"], told["token_for_mirror"], told["has_token"]) == ("", False, False)
    assert "is not the address of a hub" in run("hub", "--mirror", "no address at all", code=3)
    assert json.loads(run("hub", "--json"))["endpoint"] == hub.endpoint
    with hub.darkness():
        assert "cannot be reached" in run("hub", "--test", code=3)
    assert json.loads(run("hub", "--mirror", "", "--json"))["endpoint"] == ""


def test_found_fetched_checked_and_moved_to_the_trash(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smollm2: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (first,) = json.loads(run("search", "small", "--json"))
    assert (first["repository"], first["downloads"], first["license"]) == (SMALL, 1234, "apache-2.0")
    assert SMALL in run("search", "small")
    assert json.loads(run("search", "--architecture", "llama", "--parameters", "100M-1B", "--json")) == []
    found = json.loads(run("search", "--ungated", "--json"))
    assert "maker/Large-GGUF" not in [each["repository"] for each in found]
    got = json.loads(run("get", f"{SMALL}:Q4_1", "--json"))
    (path,) = map(Path, got["paths"])
    assert path.read_bytes() == smollm2.read_bytes()
    assert json.loads(run("info", str(path), "--json"))["source"]["repository"] == SMALL
    assert SMALL in run("info", str(path))
    assert "exactly what maker/Small-GGUF published" in run("verify", str(path))
    shutil.copy(path, tmp_path / "copy.gguf")
    with path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x99")
    assert "not the ones that maker/Small-GGUF published" in run("verify", str(path), code=3)
    assert "lies in the trash" in run("remove", str(path))
    assert not path.exists()
    assert "already" not in run("get", SMALL)
    assert path.read_bytes() == smollm2.read_bytes()


def test_what_there_is_to_choose_from_is_said(run: Run, hub: LoopbackHub) -> None:
    said = run("get", "maker/Large-GGUF")
    assert "Q4_K_M" in said
    assert "Q8_0" in said
    assert hub.sent() == 0


def test_a_model_is_looked_at_before_it_is_fetched(run: Run, hub: LoopbackHub) -> None:
    hub.publishers["maker"] = {"fullname": "The Makers", "isVerified": True, "numModels": 214}
    told = json.loads(run("look", SMALL, "--json"))
    assert (told["license"], told["gated"], told["scan"], told["downloads"]) == (
        "apache-2.0",
        False,
        "safe",
        1234,
    )
    assert (told["publisher"], told["publisher_models"]) == ("The Makers", 214)
    assert (told["publisher_since"], told["publisher_since_or_earlier"]) == ("2026-01-02", False)
    assert (told["publisher_downloads"], told["publisher_downloads_or_more"]) == (1234, False)
    assert (told["trained_context"], told["card"]) == (8192, "# Small")
    (variant,) = told["variants"]
    assert (variant["quantization"], variant["fit"]) == ("Q4_1", "fits")
    said = run("look", SMALL, "--card")
    assert "The Makers is an organization that the hub has verified" in said
    assert "2026-01" in said
    assert "# Small" in said
    hub.publishers.clear()
    assert "Makers" not in run("look", SMALL)
    assert "wants to know who downloads it" in run("look", "maker/Large-GGUF")
    assert "no model in the GGUF format" in run("look", "maker/Nothing")
    assert sum(each.sent for each in hub.of("cdn")) < 8 << 20  # headers alone


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("look", "maker/Gone"), "There is no repository"),
        (("look", "nonsense"), "is not the name of a repository"),
        (("get", "nonsense"), "is not the name of a repository"),
        (("get", "../../etc"), "is not the name of a repository"),
        (("get", "maker/Gone"), "There is no repository"),
        (("get", f"{SMALL}:Q9"), "There is no “Q9” of this model. There are: Q4_1."),
        (("get", "maker/Nothing"), "holds no model in the GGUF format"),
        (("get", "maker/Large-GGUF:Q8_0"), "wants to know who downloads it"),
        (("get", "maker/Climbs"), "“../climbs-Q4_K_M.gguf” is not a safe name for a file"),
        (("scan", "netscape"), "does not know the models of “netscape”"),
        (("remove", "SmolLM2"), "came with Fireside"),
        (("verify", "nothing"), "nothing"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_said(run: Run, words: tuple[str, ...], said: str) -> None:
    assert said in run(*words, code=3)


def test_without_a_network_it_says_so(run: Run, hub: LoopbackHub) -> None:
    with hub.darkness():
        assert "cannot be reached" in run("search", "small", code=3)
        assert "cannot be reached" in run("get", SMALL, code=3)
    assert "is ready" in run("get", SMALL)


def test_a_dead_mirror_is_named(run: Run) -> None:
    with LoopbackHub() as gone:
        run("hub", "--mirror", gone.endpoint)
    for words in (("search", "small"), ("get", SMALL), ("hub", "--test")):
        said = run(*words, code=3)
        assert f"The mirror “{gone.endpoint}” cannot be reached." in said
        assert "go back to the usual hub" in said


def test_what_goes_wrong_on_the_way_is_said(
    run: Run, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = Fault("hash_lie", path="/resolve/")
    hub.faults.append(replaced)
    assert "“small-Q4_1.gguf” was replaced while it was being downloaded." in run("get", SMALL, code=3)
    hub.faults.remove(replaced)
    with monkeypatch.context() as full:
        full.setattr("models_registry.transfer.KEPT_FREE", 1 << 60)
        said = run("get", SMALL, code=3)
        assert "There is not enough room on the disk" in said
        assert "Make room" in said
    run("get", SMALL)
    assert not list((tmp_path / "home").rglob("*.part"))


def test_the_queue_is_listed_and_put_in_order(run: Run, hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add(
        "maker/Free-GGUF", {f"m-{name}.gguf": Seeded(5000, 1, b"GGUF") for name in ("Q2_K", "Q4_K_M", "Q8_0")}
    )
    hub.faults.append(Fault("status", status=404, origin="cdn"))
    for name in ("Q2_K", "Q4_K_M", "Q8_0"):
        run("get", f"maker/Free-GGUF:{name}", code=3)

    def order(*words: str) -> list[str]:
        return [each["quantization"] for each in json.loads(run("downloads", "--json", *words))]

    assert order() == ["Q2_K", "Q4_K_M", "Q8_0"]
    assert order("--move", "3", "--before", "1") == ["Q8_0", "Q2_K", "Q4_K_M"]
    assert order("--move", "2") == ["Q8_0", "Q4_K_M", "Q2_K"]
    assert order() == ["Q8_0", "Q4_K_M", "Q2_K"]
    lines = run("downloads").splitlines()
    assert "There is no repository" in lines[0]
    assert "0 Bytes / 5.0 kB" in lines[0]
    assert "There is no download number 4." in run("downloads", "--move", "4", code=3)
    assert "There is no download number 0." in run("downloads", "--move", "1", "--before", "0", code=3)


def test_what_another_fireside_fetches_is_left_to_it(run: Run, hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("status", status=404, origin="cdn", times=1))
    run("get", SMALL, code=3)
    database = Database(tmp_path / "home" / "chats.db")
    store = DownloadStore(database, Changes(lambda call: call()))
    (download,) = store.all().result(10)
    store.set_state(download.id, State.WAITING).result(10)
    store.take().result(10)
    assert "is downloading “Small” already." in run("get", SMALL, code=3)
    store.release(download.id).result(10)
    database.close()
    assert "is ready" in run("get", SMALL)


def test_models_of_another_app_are_used_where_they_lie(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    lies = tmp_path / ".lmstudio" / "models" / "maker" / "Tiny-GGUF" / "tiny-Q8_0.gguf"
    lies.parent.mkdir(parents=True)
    lies.write_bytes(tiny().encode())
    (found,) = json.loads(run("scan", "lm-studio", "--json"))
    assert (found["app"], found["path"]) == ("LM Studio", str(lies))
    run("scan", "lm-studio", "--add")
    assert str(lies) in run()
    assert "stays where it is" in run("remove", str(lies))
    assert lies.exists()


def test_suggestions_name_what_can_be_fetched(run: Run) -> None:
    first, *others = json.loads(run("suggest", "--json", "--limit", "5"))
    assert first["first"]
    assert not any(other["first"] for other in others)
    assert first["good_at"]
    assert "/" in first["repository"]


def test_a_token_is_read_and_goes_to_no_mirror_unasked(
    run: Run, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{GOOD_TOKEN}\n"))
    assert "no keyring" in run("hub", "--token", code=3)  # none is reachable in a test
    run("search", "small")
    assert all("authorization" not in request.headers for request in hub.requests)
