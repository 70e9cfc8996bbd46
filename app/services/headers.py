"""What a model's file says of itself, or in words why it says nothing."""

from collections import OrderedDict
from pathlib import Path

from app.domain.model_problems import explain
from models_registry.errors import ModelFileError
from models_registry.gguf import read_header
from models_registry.header import Header

_MOST_KEPT = 4
_kept: OrderedDict[tuple[Path, int, int], Header] = OrderedDict()


def header_of(path: Path) -> Header:
    """Return the header of a model's file, or of its first one.

    Raises:
        UserError: When it is not a model that can be used.
    """
    try:
        return read_header(path)
    except ModelFileError as error:
        raise explain(error, path.name) from error


def listed_header_of(path: Path) -> Header:
    """Return the header of a model on the list: it was let in before, so its tokens are not compared.

    The last few are kept in memory, each for the file as it was.

    Raises:
        UserError: When it is not a model that can be used any more.
    """
    try:
        state = path.stat()
        key = path, state.st_size, state.st_mtime_ns
        header = _kept.get(key) or read_header(path, vocabulary=False)
    except OSError:
        return header_of(path)  # which says why
    except ModelFileError as error:
        raise explain(error, path.name) from error
    _kept[key] = header
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return header
