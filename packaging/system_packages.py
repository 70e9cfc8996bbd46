"""What Fireside needs from the operating system: a C++ compiler, and the libraries that Qt's window opens."""

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# What Qt 6.11 asks the system for (platform plugins xcb, wayland, offscreen; QtGui, QtWidgets, QtNetwork),
# with the Debian package that holds it: read from the DT_NEEDED entries of the wheel's libraries.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libbrotlidec.so.1": "libbrotli1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}

# Pictures show Chinese text and code on a machine that may have no fonts at all.
PICTURE_FONTS = {
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
}


def opens(library: str) -> bool:
    """Return whether the dynamic linker finds `library` and all that it needs."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_qt_libraries(finds: Callable[[str], bool] = opens) -> list[str]:
    """Return the libraries that Qt needs and this Linux lacks; empty on other systems."""
    if sys.platform != "linux":
        return []
    return [library for library in QT_LIBRARIES if not finds(library)]


def missing_build_packages() -> list[str]:
    """Return the Debian packages without which no virtual environment or no llama.cpp can be made."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    packages = []
    if importlib.util.find_spec("ensurepip") is None:
        packages.append(f"python{version}-venv")
    if not has_compiler():
        packages.append("build-essential")
    return packages


def missing_picture_fonts() -> list[str]:
    """Return the Debian packages of the fonts that pictures need and that are not here."""
    return [package for file, package in PICTURE_FONTS.items() if not Path(file).exists()]


def has_compiler() -> bool:
    """Return whether a C++ compiler is here; on Windows CMake looks for Visual Studio's by itself."""
    if sys.platform == "win32":
        return True
    if sys.platform == "darwin":  # /usr/bin/clang++ is there in any case, and asks for the tools
        return subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode == 0
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def has_apt() -> bool:
    """Return whether this is Debian or one of its children."""
    return sys.platform == "linux" and shutil.which("apt-get") is not None


def may_install() -> bool:
    """Return whether packages can be installed without asking for a password."""
    return sys.platform == "linux" and os.geteuid() == 0


def install_command(packages: Sequence[str], *, root: bool) -> list[str]:
    """Return the command that installs Debian packages: to be run as root, or to be typed by a person."""
    if root:
        options = ["--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        return ["apt-get", "install", *options, *packages]
    return ["sudo", "apt-get", "install", *packages]


def provide(*, building: bool) -> str:
    """Install what the window, and with `building` llama.cpp's build, need from the system and lack.

    Returns:
        Empty when the set-up can go on, else a sentence that says what to do first.
    """
    if sys.platform == "darwin" and platform.machine() != "arm64":
        return "Fireside runs on Macs with Apple silicon, and this Python is one for Intel."
    libraries = missing_qt_libraries()
    if has_apt():
        packages = missing_build_packages() if building else []
        return install([*packages, *(QT_LIBRARIES[library] for library in libraries)])
    if building and not has_compiler():
        if sys.platform == "darwin":
            return "Building llama.cpp needs Apple's command line tools. Install them: xcode-select --install"
        return "Building llama.cpp needs a C++ compiler. Install g++ or clang++, then run this again."
    if libraries:
        print(f"The window may not open: this system lacks {', '.join(libraries)}.", file=sys.stderr)
    return ""


def install(packages: Sequence[str]) -> str:
    """Install Debian packages when that needs no password.

    Returns:
        Empty when they are there now, else a sentence with the command for a person to type.
    """
    if not packages:
        return ""
    if may_install():
        print(f"Installing {len(packages)} Debian packages: about a minute …", file=sys.stderr, flush=True)
        command = install_command(packages, root=True)
        # The first may fail because the lists of packages are missing or old.
        if _succeeds(command) or (_succeeds(["apt-get", "update"]) and _succeeds(command, tell=True)):
            return ""
    command = install_command(packages, root=may_install())
    return f"This computer lacks some packages. Install them, then run this again:\n  {' '.join(command)}"


def _succeeds(command: Sequence[str], *, tell: bool = False) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode and tell:
        print("\n".join((done.stdout + done.stderr).splitlines()[-30:]), file=sys.stderr)
    return done.returncode == 0
