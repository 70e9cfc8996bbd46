"""What `fireside doctor` tells, and how it clears."""

import json
import os
from types import SimpleNamespace

import pytest

from app.cli import doctor
from app.cli.arguments import parser
from app.domain.errors import UserError
from app.engine.threads import Threads
from app.services import snapshots
from app.services.diagnosis import diagnose
from app.storage.database import Database
from app.storage.folders import Folders


@pytest.fixture
def services(tmp_path):
    folders = Folders.at(tmp_path)
    database = Database(folders.database)
    yield SimpleNamespace(folders=folders, database=database)
    database.close()


@pytest.fixture
def kept(services):
    """Two snapshots of 1,500 bytes together."""
    folder = services.folders.data / "snapshots"
    folder.mkdir()
    for name, size in (("a", 1000), ("b", 500)):
        (folder / f"{name}.state").write_bytes(bytes(size))
        (folder / f"{name}.json").write_text('{"chat": 1}')
    return folder


def run(services, *words):
    assert doctor.run(services, SimpleNamespace(), parser().parse_args(["doctor", *words])) == 0


def test_snapshots_are_counted(services, kept):
    assert diagnose(services.folders, services.database)["snapshots"] == {
        "count": 2,
        "bytes": 1500,
        "budget": 4 * 1024**3,
    }


def test_the_memory_and_the_threads_of_each_model_are_told(services, smollm2):
    from app.engine import native
    from models_registry.fit import choose
    from models_registry.gguf import read_header
    from models_registry.memory import estimate

    threads = Threads(services.folders.data)
    facts = diagnose(services.folders, services.database)
    (model,) = facts["models"]
    assert model["layout"]["context"] == facts["engine"]["context"] == 8192
    header = read_header(smollm2)
    assert model["memory"]["total"] == estimate(header, choose(header, 8192)).total
    assert not model["threads"]["measured"]
    threads.measure(smollm2, native.identity(), lambda _threads, tokens: tokens / 1000)
    (model,) = diagnose(services.folders, services.database)["models"]
    assert model["threads"]["measured"]
    assert model["threads"]["decode"] == threads.known(smollm2, native.identity()).decode


def test_a_file_that_is_no_model_is_named_with_its_problem(services):
    services.folders.models.mkdir()
    (services.folders.models / "broken.gguf").write_bytes(b"GGUF")
    told = diagnose(services.folders, services.database)["models"]
    assert {"name": "Broken", "problem": "truncated"} in told


def test_where_there_are_none_there_is_nothing_to_clear(services, capsys):
    run(services, "--clear-snapshots")
    assert capsys.readouterr().out == "There is no snapshot to delete.\n"
    assert snapshots.usage(services.folders) == snapshots.Usage(0, 0, 4 * 1024**3)
    run(services, "--clear-snapshots", "--json")
    assert json.loads(capsys.readouterr().out) == {"deleted": 0, "freed_bytes": 0}


def test_clearing_says_what_it_frees_and_leaves_nothing(services, kept, capsys):
    run(services, "--clear-snapshots")
    assert capsys.readouterr().out.startswith("Deleting 2 snapshots frees 1.5 kB. The chats stay")
    assert list(kept.iterdir()) == []


def test_clearing_in_json(services, kept, capsys):
    run(services, "--clear-snapshots", "--json")
    assert json.loads(capsys.readouterr().out) == {"deleted": 2, "freed_bytes": 1500}


def test_what_cannot_be_deleted_is_said(services, kept):
    (kept / "c.state").mkdir()  # unlike a file, no unlink takes it away
    with pytest.raises(UserError, match="could not be deleted"):
        run(services, "--clear-snapshots")


def test_a_smaller_budget_deletes_the_least_recently_used(services, kept, capsys):
    first, second = sorted(kept.glob("*.state"), key=lambda path: path.stat().st_size)
    os.utime(second, (1, 1))
    run(services, "--snapshot-budget", str(first.stat().st_size))
    assert capsys.readouterr().out.startswith("Snapshots of chats may now take ")
    assert list(kept.glob("*.state")) == [first]
    run(services, "--snapshot-budget", "0", "--json")
    assert json.loads(capsys.readouterr().out) == {"count": 0, "bytes": 0, "budget": 0}
    assert diagnose(services.folders, services.database)["snapshots"]["budget"] == 0


def test_a_budget_that_cannot_be_kept_is_said(services):
    (services.folders.data / "snapshots").write_text("in the way")
    with pytest.raises(UserError, match="could not be saved"):
        run(services, "--snapshot-budget", "1GiB")
