"""What a model's file says of itself, or in words why it says nothing."""

from pathlib import Path

from app.domain.model_problems import explain
from models_registry.errors import ModelFileError
from models_registry.gguf import read_header
from models_registry.header import Header


def header_of(path: Path) -> Header:
    """Return the header of a model's file, or of its first one.

    Raises:
        UserError: When it is not a model that can be used.
    """
    try:
        return read_header(path)
    except ModelFileError as error:
        raise explain(error, path.name) from error
