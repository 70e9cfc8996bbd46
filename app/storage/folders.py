"""Where Fireside keeps its things, and the lock that one window holds on them."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.domain.errors import UserError
from app.domain.language import _

_NAME = "Fireside"
_ONLY_THE_OWNER = 0o077


@dataclass(frozen=True, slots=True)
class Folders:
    """The places of one Fireside.

    Attributes:
        data: The folder that holds everything but the logs.
        database: The file of the chats.
        models: The folder of the models that were downloaded or copied in.
        logs: The folder of the logs.
    """

    data: Path
    database: Path
    models: Path
    logs: Path

    @classmethod
    def at(cls, home: Path | None) -> "Folders":
        """Name the places: under `home`, else under FIRESIDE_HOME, else where the system has them."""
        named = home or os.environ.get("FIRESIDE_HOME")
        if named:
            data = Path(named).expanduser().absolute()
            logs = data / "logs"
        else:
            data = platformdirs.user_data_path(_NAME, appauthor=False)
            logs = platformdirs.user_log_path(_NAME, appauthor=False)
        return cls(data, data / "chats.db", data / "models", logs)

    def create(self) -> None:
        """Make the folders that are missing, and keep other users out of all that this process writes.

        Sets the umask of the process to 077; folders that are already there keep their mode.

        Raises:
            UserError: If a folder cannot be made, or something else has its name.
        """
        if sys.platform != "win32":
            os.umask(_ONLY_THE_OWNER)
        for folder in (self.data, self.models, self.logs):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise UserError(
                    _("Fireside needs the folder {folder} for its files, but a file is in the way.").format(
                        folder=folder
                    ),
                    _("Move that file, or set FIRESIDE_HOME to another folder."),
                ) from error
            except OSError as error:
                raise UserError(
                    _("Fireside cannot create the folder {folder}: {reason}.").format(
                        folder=folder, reason=error.strerror or type(error).__name__
                    ),
                    _(
                        "Check that the disk has room and that you may write there, "
                        "or set FIRESIDE_HOME to another folder."
                    ),
                ) from error


class InstanceLock:
    """A lock on a file that the system takes back when its holder closes it or dies, however that comes."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made by `acquire` and stays behind, empty."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Return False when another process holds the lock.

        Where no lock can be put (a read-only folder, some network disks) it counts as held: there,
        two windows are better than none.
        """
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return True
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            return True
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
