"""The one exception that a player gets to read."""


class TetradError(Exception):
    """Something outside the program is wrong: a file, a device, an argument's value.

    The message is one line that says what was found, what was expected and what to do, for instance
    "score.mid ends after 22 of 640 bytes of track 2; a complete standard MIDI file was expected; fetch it again".
    `synth.cli` prints it as `tetrad: error: MESSAGE` and exits with status 1. Line breaks from foreign libraries
    are folded into spaces, so that a message is one line whatever went into it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
