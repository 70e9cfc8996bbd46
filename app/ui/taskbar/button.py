"""Windows: the bar in the window's button, through the shell's ITaskbarList3.

An interface of COM is a pointer to a table of functions. Their places follow from the declaration in
shobjidl_core.h: three of IUnknown, five of ITaskbarList, one of ITaskbarList2, then those of ITaskbarList3.
"""

import sys

from PySide6.QtWidgets import QWidget

from app.ui.taskbar.progress import Show

if sys.platform == "win32":
    import ctypes
    import logging
    import uuid
    from ctypes import HRESULT, POINTER, WINFUNCTYPE, byref, c_int, c_ubyte, c_ulonglong, c_void_p, cast
    from ctypes.wintypes import HWND

    _CLASS = uuid.UUID("56fdf344-fd6d-11d0-958a-006097c9a090")  # CLSID_TaskbarList
    _INTERFACE = uuid.UUID("ea1afb91-9e28-4b86-90e9-9e9f8a5eefaf")  # IID_ITaskbarList3
    _IN_PROCESS = 1  # CLSCTX_INPROC_SERVER
    _INIT, _SET_VALUE, _SET_STATE = 3, 9, 10  # places in the table
    _NO_PROGRESS, _NORMAL = 0, 2  # TBPF_NOPROGRESS, TBPF_NORMAL

    _log = logging.getLogger("fireside.taskbar")

    def show_on(window: QWidget) -> Show:
        """Return what shows progress in the button of `window`; to be called on its thread, which has COM."""
        taskbar = c_void_p()
        ids = [(c_ubyte * 16).from_buffer_copy(each.bytes_le) for each in (_CLASS, _INTERFACE)]
        try:
            create = ctypes.OleDLL("ole32").CoCreateInstance
            create(byref(ids[0]), None, _IN_PROCESS, byref(ids[1]), byref(taskbar))
            table = cast(cast(taskbar, POINTER(c_void_p))[0], POINTER(c_void_p))
            WINFUNCTYPE(HRESULT, c_void_p)(table[_INIT])(taskbar)
        except OSError as error:  # a system without a taskbar
            _log.info("No taskbar: %s", error)
            return lambda part: None
        set_value = WINFUNCTYPE(HRESULT, c_void_p, HWND, c_ulonglong, c_ulonglong)(table[_SET_VALUE])
        set_state = WINFUNCTYPE(HRESULT, c_void_p, HWND, c_int)(table[_SET_STATE])

        def show(part: float | None) -> None:
            handle = HWND(int(window.winId()))
            try:
                set_state(taskbar, handle, _NO_PROGRESS if part is None else _NORMAL)
                if part is not None:
                    set_value(taskbar, handle, round(100 * part), 100)
            except OSError as error:  # the shell is starting anew
                _log.info("The taskbar shows no progress: %s", error)

        return show
