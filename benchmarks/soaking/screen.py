"""The touchscreen of a soak: what `tetrad play` starts in place of `ui` (TETRAD_SCREEN names this module).

It is `python -m ui`, by way of tests/ui/screen_program.py, with fingers by TUIO and with questions by a UNIX socket:
standard input and output are whoever started it. The environment says where (window.py sets it).
"""

import os
import socket
import sys

from tests.ui import screen_program

WINDOW_VARIABLE, TUIO_VARIABLE, CORE_VARIABLE = "TETRAD_SOAK_WINDOW", "TETRAD_SOAK_TUIO", "TETRAD_SOAK_CORE"
"""Path of the socket where questions come from; HOST:PORT where fingers are listened for; the core to be on, or ""."""


def main() -> int:
    """Run the screen until it is closed; its exit status."""
    if core := os.environ.get(CORE_VARIABLE, ""):
        os.sched_setaffinity(0, {int(core)})
    with socket.socket(socket.AF_UNIX) as questions:
        questions.connect(os.environ[WINDOW_VARIABLE])
        # What the engine's process holds of this pipe keeps us alive no longer: the questions' end ends the screen.
        os.dup2(questions.fileno(), 0)
        os.dup2(questions.fileno(), 1)
    # `--with-parent` would read the questions.
    sys.argv = [word for word in sys.argv if word != "--with-parent"] + ["--tuio", os.environ[TUIO_VARIABLE]]
    return screen_program.main()


if __name__ == "__main__":
    status = main()
    os._exit(status)  # as ui does: Kivy's and SDL's destructors run in no order of ours
