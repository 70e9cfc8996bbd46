"""Where the pictures, icons and translations lie."""

from pathlib import Path

import app


def asset(path: str) -> Path:
    """Return the file or folder `path` of assets/, in a checkout or in an installed wheel.

    A wheel carries the folder inside the package; a checkout has it beside the package.
    """
    package = Path(app.__file__).parent
    inside = package / "assets"
    return (inside if inside.is_dir() else package.parent / "assets") / path
