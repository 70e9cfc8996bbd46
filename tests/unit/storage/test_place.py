"""Which folders are told to be no good place for the data."""

import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from app.domain.place import Kind, Risk, risk_words
from app.services.place import Place
from app.storage.database import Database
from app.storage.folders import Folders
from app.storage.place import risk_of
from app.storage.preferences import PreferenceStore

Disk = namedtuple("Disk", "mountpoint fstype opts", defaults=("rw",))


def test_a_disk_of_its_own_is_good(tmp_path: Path) -> None:
    assert risk_of(tmp_path) is None
    assert risk_of(tmp_path / "not" / "there") is None


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("Library/Mobile Documents/com~apple~CloudDocs/Fireside", "iCloud Drive"),
        ("Library/CloudStorage/Dropbox", "Dropbox"),
        ("Dropbox (Personal)/x", "Dropbox"),
        ("OneDrive - Firma AG/Dokumente", "OneDrive"),
        ("OneDrive-Personal", "OneDrive"),
        ("Library/CloudStorage/GoogleDrive-me@example.org/My Drive", "Google Drive"),
        ("Google Drive", "Google Drive"),
        ("Nextcloud/chats", "Nextcloud"),
        ("Dropboxes", None),
        ("my drives", None),
    ],
)
def test_folders_that_are_carried_about(tmp_path: Path, name: str, service: str | None) -> None:
    expected = service and Risk(Kind.SYNCED, service)
    assert risk_of(tmp_path / name) == expected


@pytest.mark.parametrize(("mark", "service"), [(".stfolder", "Syncthing"), (".dropbox.cache", "Dropbox")])
def test_folders_with_another_name_are_known_by_what_lies_in_them(
    tmp_path: Path, mark: str, service: str
) -> None:
    (tmp_path / mark).mkdir()
    assert risk_of(tmp_path / "deep" / "below") == Risk(Kind.SYNCED, service)


@pytest.mark.skipif(sys.platform == "win32", reason="paths of another kind")
@pytest.mark.parametrize(
    ("disks", "name"),
    [
        ([Disk("/", "ext4"), Disk("/net", "nfs4")], "nfs4"),
        ([Disk("/", "ext4"), Disk("/net/home", "cifs")], "cifs"),
        ([Disk("/net", "nfs"), Disk("/net", "apfs")], None),
        ([Disk("/net", "ext4"), Disk("/net", "fuse.sshfs")], "fuse.sshfs"),
        ([Disk("/", "nfs"), Disk("/net/home", "ext4")], None),
        ([Disk("/", "ext4"), Disk("/network", "nfs")], None),
        ([Disk("/", "NTFS", "rw,remote")], "NTFS"),
        ([Disk("/", "ext4"), Disk("/net", "fuseblk")], None),  # a stick with NTFS
        ([], None),
    ],
)
def test_the_nearest_disk_decides(monkeypatch: pytest.MonkeyPatch, disks, name: str | None) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **options: disks)
    expected = name and Risk(Kind.NETWORK, name)
    assert risk_of(Path("/net/home/fireside")) == expected


def test_it_is_said_once(tmp_path: Path) -> None:
    folders = Folders.at(tmp_path / "Dropbox")
    folders.create()
    database = Database(folders.database)
    told: list[str] = []
    for _start in range(2):
        Place(folders, PreferenceStore(database), lambda error: told.append(str(error)))._look()
    database.close()
    assert told == [str(risk_words(Risk(Kind.SYNCED, "Dropbox")))]
    assert "FIRESIDE_HOME" in told[0]
