"""What a person has set for one model."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from app.domain.errors import UserError
from app.domain.loading import KV_TYPES, Adapter, LoadOptions
from app.domain.settings import Settings
from models_registry.rope_options import RopeOptions

Group = TypeVar("Group", Settings, LoadOptions)


@dataclass(frozen=True, slots=True)
class Choices:
    """How a model is loaded and how it writes; what is not set is left to its file and to Fireside.

    Attributes:
        settings: How it writes.
        options: How it is loaded.
        adapters: What is laid over it.
    """

    settings: Settings = field(default_factory=Settings)
    options: LoadOptions = field(default_factory=LoadOptions)
    adapters: tuple[Adapter, ...] = ()

    def checked(self) -> Self:
        """Return self when every value is in range and none contradicts another.

        Raises:
            UserError: Naming the first value that is not.
        """
        self.settings.checked()
        self.options.checked()
        return self

    def to_json(self) -> dict[str, Any]:
        """Return what was set, as JSON types, and nothing else; empty when nothing was."""
        found = {
            "settings": _set_ones(self.settings, Settings()),
            "options": _set_ones(self.options, LoadOptions()),
            "adapters": [{"path": str(one.path), "scale": one.scale} for one in self.adapters],
        }
        return {name: values for name, values in found.items() if values}

    @classmethod
    def from_json(cls, values: object) -> tuple[Self, tuple[str, ...]]:
        """Read what `to_json` wrote, also by an older or newer Fireside, or by a hand.

        Returns:
            What is valid of it, and the names of what is not: unknown, of another type, out of range, or
            contradicting what stands before it.
        """
        given = values if isinstance(values, dict) else {}
        settings, bad = _read(Settings(), given.get("settings"))
        options, unread = _read(LoadOptions(), given.get("options"))
        listed = given.get("adapters", [])
        adapters = [_adapter(each) for each in listed] if isinstance(listed, list) else [None]
        found = tuple(each for each in adapters if each)
        bad += unread + ["adapters"] * (len(found) < len(adapters))
        return cls(settings, options, found), tuple(bad)


def _set_ones(group: Group, usual: Group) -> dict[str, Any]:
    """Return the fields of `group` that are not as usual, as JSON types."""
    values, others = asdict(group), asdict(usual)
    changed = {name: value for name, value in values.items() if value != others[name]}
    if "rope" in changed:
        changed["rope"] = {k: v for k, v in changed["rope"].items() if v != others["rope"][k]}
    return {name: str(value) if isinstance(value, Path) else value for name, value in changed.items()}


def _read(usual: Group, values: object) -> tuple[Group, list[str]]:
    """Return `usual` with those of `values` that can be, and the names of those that cannot."""
    if not isinstance(values, Mapping):
        return usual, [] if values is None else [type(usual).__name__]
    group, bad = usual, []
    known = {each.name for each in fields(usual)}
    for name, value in values.items():
        try:
            if name not in known:
                raise ValueError(name)  # noqa: TRY301
            group = replace(group, **{name: _typed(name, value)}).checked()
        except (TypeError, ValueError, UserError):
            bad.append(str(name))
    return group, bad


_TEXTS = {"grammar", "json_schema"}
_SWITCHES = {"speculation", "flash_attention", "whole_window", "mmap", "mlock", "gentle"}


def _typed(name: str, value: Any) -> Any:
    """Return `value` as the field `name` has it.

    Raises:
        TypeError, ValueError: When it has another type.
    """
    match name:
        case "template_variables":
            return dict(value)
        case "dry_breakers":
            return tuple(_text(each) for each in value)
        case "logit_bias":
            return tuple((_token(token), _number(bias)) for token, bias in value)
        case "kv_type" if value not in KV_TYPES:
            raise ValueError(value)
        case "kv_type":
            return value
        case "draft":
            return Path(_text(value))
        case "rope":
            return _rope(value)
    if name in _TEXTS:
        return _text(value)
    if name in _SWITCHES:
        if not isinstance(value, bool):
            raise TypeError(value)
        return value
    return _number(value)


def _rope(value: object) -> RopeOptions:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    numbers = {name: _number(each) for name, each in value.items() if name != "method"}
    if not isinstance(numbers.get("original_context", 0), int):
        raise TypeError(value)
    method = _text(value.get("method", RopeOptions().method))
    return RopeOptions(method, **numbers)  # type: ignore[arg-type]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return value


def _token(value: object) -> str | int:
    return value if isinstance(value, str) else int(_number(value))


def _adapter(value: object) -> Adapter | None:
    try:
        match value:
            case {"path": str(path), "scale": scale} if path and math.isfinite(_number(scale)):
                return Adapter(Path(path), float(_number(scale)))
    except TypeError:
        pass
    return None
