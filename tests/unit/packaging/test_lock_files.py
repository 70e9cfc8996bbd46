"""The lock files hold names, versions, hashes and markers, and what pyproject.toml asks for."""

import re
import tomllib

import lock
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from steps import LOCKS, ROOT, locked

FIRST = re.compile(r"[a-z0-9-]+==[A-Za-z0-9.+!]+( ; [a-zA-Z0-9_'.<>=!() ]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def lines(name):
    return (LOCKS / name).read_text(encoding="utf-8").splitlines()


def versions(name):
    found = {}
    for line in lines(name):
        if not line.startswith(" "):
            requirement = Requirement(line.removesuffix("\\"))
            found.setdefault(requirement.name, []).append(requirement)
    return found


@pytest.mark.parametrize("name", lock.FILES)
def test_a_lock_file_holds_nothing_but_names_versions_markers_and_hashes(name):
    content = lines(name)
    assert content
    assert [line for line in content if not FIRST.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("name", lock.FILES)
def test_every_package_has_a_hash(name):
    content = lines(name)
    for line, following in zip(content, [*content[1:], ""], strict=True):
        assert line.startswith(" ") or HASH.fullmatch(following), line


def test_the_lock_files_fit_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    asked = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-build.txt": groups["build"],
        "requirements-dev.txt": groups["dev"],
        "requirements-bundle.txt": groups["bundle"],
        "requirements-starter.txt": groups["starter"],
        "requirements-test-models.txt": groups["test-models"],
    }
    assert asked.keys() == lock.FILES.keys()
    for name, requirements in asked.items():
        held = versions(name)
        for requirement in map(Requirement, requirements):
            for entry in held[canonicalize_name(requirement.name)]:
                (pin,) = entry.specifier
                assert requirement.specifier.contains(pin.version), f"{requirement} in {name}"


def test_the_lock_files_agree_with_each_other():
    seen = {}
    for name in lock.FILES:
        for package, entries in versions(name).items():
            pins = {str(entry.specifier) for entry in entries}
            assert pins <= seen.setdefault(package, pins), package


def test_one_package_is_taken_from_a_lock_with_all_its_hashes():
    one, two = "    --hash=sha256:1", "    --hash=sha256:2"
    text = "\n".join(["a==1 \\", one, "ab==2 ; x \\", f"{one} \\", two, "b==3 \\", two, ""])
    assert locked("ab", text) == "\n".join(["ab==2 ; x \\", f"{one} \\", two, ""])
    assert locked("b", text) == "\n".join(["b==3 \\", two, ""])
