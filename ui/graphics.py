"""Who draws: the OpenGL driver, asked through EGL without a window, so that a screen that runs is left alone.

`python -m ui.graphics` prints {"vendor", "renderer", "version"} or {"error"}: a driver that crashes takes only that
process along.
"""

import ctypes
import json
import sys
from typing import Any

_SURFACELESS = 0x31DD  # EGL_PLATFORM_SURFACELESS_MESA
_RENDERABLE_TYPE, _SURFACE_TYPE, _ES2_BIT, _NONE = 0x3040, 0x3033, 0x0004, 0x3038
_CLIENT_VERSION, _ES_API = 0x3098, 0x30A0
_STRINGS = {"vendor": 0x1F00, "renderer": 0x1F01, "version": 0x1F02}


def driver() -> dict[str, str]:
    """What OpenGL ES says of itself. Raises OSError in words where there is none."""
    egl, gles = ctypes.CDLL("libEGL.so.1"), ctypes.CDLL("libGLESv2.so.2")
    display = _display(egl)
    pointer, integers = ctypes.c_void_p, ctypes.c_int * 5
    egl.eglBindAPI(_ES_API)
    configuration, n_found = pointer(), ctypes.c_int()
    egl.eglChooseConfig.argtypes = [pointer, pointer, pointer, ctypes.c_int, pointer]
    wanted = integers(_RENDERABLE_TYPE, _ES2_BIT, _SURFACE_TYPE, 0, _NONE)
    if not egl.eglChooseConfig(display, wanted, ctypes.byref(configuration), 1, ctypes.byref(n_found)) or not n_found:
        raise OSError("the driver has no OpenGL ES 2")
    egl.eglCreateContext.restype, egl.eglCreateContext.argtypes = pointer, [pointer] * 4
    context = egl.eglCreateContext(display, configuration, None, (ctypes.c_int * 3)(_CLIENT_VERSION, 2, _NONE))
    egl.eglMakeCurrent.argtypes = [pointer] * 4
    if not context or not egl.eglMakeCurrent(display, None, None, context):
        raise OSError("the driver makes no OpenGL ES 2 context")
    gles.glGetString.restype = ctypes.c_char_p
    return {name: (gles.glGetString(number) or b"").decode("utf-8", "replace") for name, number in _STRINGS.items()}


def _display(egl: Any) -> Any:
    """One that is not bound to a screen, else the default one."""
    egl.eglInitialize.argtypes = [ctypes.c_void_p] * 3
    egl.eglGetPlatformDisplay.restype = egl.eglGetDisplay.restype = ctypes.c_void_p
    egl.eglGetPlatformDisplay.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p]
    egl.eglGetDisplay.argtypes = [ctypes.c_void_p]
    for display in (egl.eglGetPlatformDisplay(_SURFACELESS, None, None), egl.eglGetDisplay(None)):
        if display and egl.eglInitialize(display, None, None):
            return display
    raise OSError("EGL finds no display")


if __name__ == "__main__":
    try:
        print(json.dumps(driver()))
    except (OSError, AttributeError) as error:
        print(json.dumps({"error": str(error)}))
    sys.exit(0)
