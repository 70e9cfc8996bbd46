"""Which backend of llama.cpp is built on which computer."""

import backends
import pytest


def programs(*names):
    return lambda name: f"/usr/bin/{name}" if name in names else None


@pytest.mark.parametrize(
    ("asked", "system", "here", "chosen"),
    [
        ("", "darwin", (), "metal"),
        ("", "linux", (), "cpu"),
        ("", "win32", (), "cpu"),
        ("", "linux", ("nvcc", "nvidia-smi"), "cuda"),
        ("", "win32", ("nvcc", "nvidia-smi"), "cuda"),
        ("", "linux", ("nvcc",), "cpu"),  # a machine that compiles for GPUs and has none
        ("", "linux", ("glslc",), "cpu"),  # Vulkan only when asked for
        ("cpu", "linux", ("nvcc",), "cpu"),
        ("cpu", "darwin", (), "cpu"),
        ("cuda", "linux", ("nvcc",), "cuda"),
        ("vulkan", "linux", ("glslc",), "vulkan"),
        (" CUDA ", "linux", ("nvcc",), "cuda"),
    ],
)
def test_the_computer_and_the_person_choose(asked, system, here, chosen):
    assert backends.choose({"FIRESIDE_BACKEND": asked}, system, programs(*here)).name == chosen


@pytest.mark.parametrize(
    ("asked", "system", "says"),
    [
        ("tpu", "linux", "cpu, metal, cuda or vulkan"),
        ("metal", "linux", "only a Mac"),
        ("cuda", "linux", "nvcc"),
        ("vulkan", "win32", "glslc"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(asked, system, says):
    with pytest.raises(backends.UnusableBackendError, match=says):
        backends.choose({"FIRESIDE_BACKEND": asked}, system, programs())


def test_what_nobody_asked_for_by_name_has_the_processor_behind_it():
    cuda = programs("nvcc", "nvidia-smi")
    for environment, follows in [
        ({}, "cpu"),
        ({"FIRESIDE_BACKEND": "cuda"}, None),
        ({"CMAKE_ARGS": "-DX=1"}, "cpu"),
    ]:
        chosen = backends.choose(environment, "linux", cuda)
        assert chosen.name == "cuda"
        other = backends.instead(environment, chosen)
        assert (other.name if other else None) == follows
    assert backends.instead({}, backends.choose({}, "linux", programs())) is None


def test_every_backend_has_its_flags_a_name_and_a_time():
    tables = (backends.BACKEND_FLAGS, backends.NAMES, backends.USUAL_TIME)
    assert all(set(table) == set(backends.CHOICES) for table in tables)


def test_a_person_s_own_settings_come_last():
    chosen = backends.choose({"CMAKE_ARGS": "-DGGML_NATIVE=OFF -DX=1"}, "linux", programs())
    assert chosen.cmake_args.endswith(" -DGGML_NATIVE=OFF -DX=1")


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_kernels_that_crash_are_left_out(system):
    assert ("-U__AMX_INT8__" in backends.choose({}, system, programs()).cmake_args) == (system != "win32")
