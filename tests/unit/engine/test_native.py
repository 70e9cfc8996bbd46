"""What llama.cpp computes with: also in a build with a library for each kind of processor."""

import os
from pathlib import Path
from types import SimpleNamespace

import llama_cpp
import pytest

from app.engine import native


def test_a_processor_is_there_and_nothing_is_loaded_twice() -> None:
    native.start()
    before = native.devices()
    native.start()
    assert [device.name for device in before][-1] == "CPU"
    assert [device.name for device in native.devices()] == [device.name for device in before]


@pytest.mark.parametrize("device", [None, 1])
def test_the_libraries_for_processors_are_loaded_where_none_is_built_in(
    device: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Function:  # as one of ctypes, whose types can be set
        def __init__(self, call):
            self.call = call

        def __call__(self, *arguments):
            return self.call(*arguments)

    registry = SimpleNamespace(
        ggml_backend_dev_by_type=Function({0: device, 1: None}.get),
        ggml_backend_load_all_from_path=Function(asked.append),
    )
    monkeypatch.setattr(native, "_library", lambda _name: registry)
    native._load_processor()
    folder = os.fsencode(Path(llama_cpp.__file__).parent / "lib")
    assert asked == ([] if device else [folder])
