"""Whether things may move: the desktop's wish for reduced motion."""

import ctypes
import sys
from functools import cache

from PySide6.QtCore import QSettings, QStandardPaths

MOTION_MS = 140


@cache
def duration() -> int:
    """Return how long a movement lasts, in milliseconds; 0 where the desktop asks for none."""
    return 0 if _reduced() else MOTION_MS


def _reduced() -> bool:
    if sys.platform == "darwin":
        return _reduced_on_mac()
    if sys.platform == "win32":
        animate = ctypes.c_int(1)
        client_area_animation = 0x1042  # SPI_GETCLIENTAREAANIMATION
        ctypes.windll.user32.SystemParametersInfoW(client_area_animation, 0, ctypes.byref(animate), 0)
        return not animate.value
    return _reduced_on_linux()


def _reduced_on_mac() -> bool:
    """Ask NSWorkspace, which the Cocoa plugin of Qt has loaded."""
    objc = ctypes.cdll.LoadLibrary("/usr/lib/libobjc.A.dylib")
    objc.objc_getClass.restype = objc.sel_registerName.restype = ctypes.c_void_p
    objc.objc_getClass.argtypes = objc.sel_registerName.argtypes = [ctypes.c_char_p]
    address = ctypes.cast(objc.objc_msgSend, ctypes.c_void_p).value or 0
    send_object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(address)
    send_bool = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)(address)
    workspace = send_object(objc.objc_getClass(b"NSWorkspace"), objc.sel_registerName(b"sharedWorkspace"))
    selector = objc.sel_registerName(b"accessibilityDisplayShouldReduceMotion")
    return bool(workspace and send_bool(workspace, selector))


def _reduced_on_linux() -> bool:
    """Read what GNOME and KDE write for toolkits that are not their own."""
    folder = QStandardPaths.StandardLocation.GenericConfigLocation
    gtk = QStandardPaths.locate(folder, "gtk-3.0/settings.ini")
    if gtk:
        written = QSettings(gtk, QSettings.Format.IniFormat).value("Settings/gtk-enable-animations", "true")
        if str(written).lower() in {"false", "0"}:
            return True
    kde = QStandardPaths.locate(folder, "kdeglobals")
    factor = QSettings(kde, QSettings.Format.IniFormat).value("KDE/AnimationDurationFactor") if kde else None
    return str(factor) in {"0", "0.0"}
