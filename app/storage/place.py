"""Where the folder of the data lies: https://sqlite.org/howtocorrupt.html, sections 2 and 6."""

import sys
from pathlib import Path

from app.domain.place import Kind, Risk

_SYNCED = (  # how the folders are called that these keep, in lower case
    ("com~apple~clouddocs", "iCloud Drive"),
    ("dropbox", "Dropbox"),
    ("onedrive", "OneDrive"),
    ("googledrive", "Google Drive"),
    ("google drive", "Google Drive"),
    ("my drive", "Google Drive"),
    ("nextcloud", "Nextcloud"),
)
_MARKS = (  # what these leave in a folder that they keep
    (".dropbox.cache", "Dropbox"),
    (".owncloudsync.log", "Nextcloud"),
    (".nextcloudsync.log", "Nextcloud"),
    (".stfolder", "Syncthing"),
)
_NETWORK = {
    "nfs", "nfs3", "nfs4", "smbfs", "cifs", "smb3", "afpfs", "webdav", "davfs", "9p", "afs", "ceph",
    "glusterfs", "ncpfs", "sshfs", "fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse", "fuse.davfs2", "macfuse",
    "osxfuse", "fuse.glusterfs", "fuse.s3fs", "fuse.google-drive-ocamlfuse",
}  # fmt: skip


def risk_of(folder: Path) -> Risk | None:
    """Return why a folder is no good place for a database; None where nothing speaks against it.

    It may take long, as a network drive that does not answer does.
    """
    here = _resolved(folder)
    return _synced(here) or _network(here)


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except OSError:
        return folder.absolute()


def _synced(folder: Path) -> Risk | None:
    for part in folder.parts[1:]:
        name = part.lower()
        for known, service in _SYNCED:
            # OneDrive adds the name of a company, Google Drive and Dropbox that of an account.
            if name == known or name.startswith((f"{known} ", f"{known}-", f"{known}(")):
                return Risk(Kind.SYNCED, service)
    for above in (folder, *folder.parents[:-1]):
        for mark, service in _MARKS:
            if (above / mark).exists():
                return Risk(Kind.SYNCED, service)
    return None


def _network(folder: Path) -> Risk | None:
    import psutil

    if sys.platform == "win32" and str(folder).startswith("\\\\"):
        return Risk(Kind.NETWORK, "SMB")
    try:
        disks = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return None
    below = [disk for disk in disks if folder.is_relative_to(disk.mountpoint)]
    if not below:
        return None
    # Of two disks that are mounted on one folder the later one is seen.
    nearest = max(enumerate(below), key=lambda each: (len(Path(each[1].mountpoint).parts), each[0]))[1]
    kind = nearest.fstype.lower()
    remote = "remote" in nearest.opts.split(",")  # as psutil names Windows' network drives
    return Risk(Kind.NETWORK, nearest.fstype or "SMB") if remote or kind in _NETWORK else None
