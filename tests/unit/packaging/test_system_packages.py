"""What is asked of the operating system, and with which words."""

import sys

import pytest
import system_packages


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's dynamic linker")
def test_qt_s_libraries_are_missing_only_when_the_linker_does_not_find_them():
    assert system_packages.missing_qt_libraries() == []  # the set-up has seen to it
    assert not system_packages.opens("libfireside-is-not-here.so.1")
    lacking = {"libxcb-cursor.so.0", "libwayland-egl.so.1"}
    assert set(system_packages.missing_qt_libraries(lambda name: name not in lacking)) == lacking


def test_as_root_nothing_is_asked():
    command = system_packages.install_command(["libegl1", "libgl1"], root=True)
    assert command[:3] == ["apt-get", "install", "--yes"]
    assert command[-2:] == ["libegl1", "libgl1"]


def test_a_person_gets_a_command_to_type():
    assert system_packages.install_command(["libegl1"], root=False) == [
        "sudo",
        "apt-get",
        "install",
        "libegl1",
    ]


def test_without_the_right_the_answer_is_that_command(monkeypatch):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    answer = system_packages.install(["build-essential", "libegl1"])
    assert answer.endswith("\n  sudo apt-get install build-essential libegl1")


def test_nothing_missing_is_nothing_to_do():
    assert system_packages.install([]) == ""
