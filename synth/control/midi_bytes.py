"""Bytes of a raw MIDI wire to complete messages, as the MIDI 1.0 specification tells a receiver.

The parser is in one of three states:
- *idle*: no status holds; data bytes mean nothing and are dropped;
- *message*: a status holds and collects its data bytes. A channel status goes on holding after its message (running
  status); a system common status does not, and ends running status;
- *exclusive*: between F0 and F7. What is longer than MOST_EXCLUSIVE_BYTES is skipped to its end.

Real-time bytes (F8 to FF) come through at once wherever they stand and change no state; the undefined F9 and FD are
dropped. The undefined F4 and F5, and an F7 that ends nothing, lead to *idle*. Any other status byte, in any state,
begins its message; what was incomplete is dropped, an exclusive message without F7 too.
"""

MOST_EXCLUSIVE_BYTES = 65_536
"""Kept of system exclusive, F0 and F7 included; the largest that the instrument reads has 409 bytes."""

_EXCLUSIVE, _END_OF_EXCLUSIVE, _FIRST_REAL_TIME = 0xF0, 0xF7, 0xF8
_UNDEFINED_REAL_TIME = (0xF9, 0xFD)


def _data_bytes(status: int) -> int | None:
    """Number of data bytes of a message; None of a status that begins none, or one of any length."""
    if status < _EXCLUSIVE:
        return 1 if status & 0xE0 == 0xC0 else 2  # program change and channel pressure have one
    return {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}.get(status)


_N_DATA = tuple(_data_bytes(status) if status >= 0x80 else None for status in range(256))


class MidiParser:
    """One wire's state. Nothing that is fed to it raises, and it keeps at most MOST_EXCLUSIVE_BYTES."""

    def __init__(self) -> None:
        self._status = 0  # 0: idle
        self._data = bytearray()
        self._in_exclusive = False
        self._too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, in order, each with its status byte; data may be cut anywhere.

        Note-ons of velocity 0 come out as they are; of system exclusive only what has both its ends and fits.
        """
        messages: list[bytes] = []
        for byte in data:
            if byte < 0x80:
                self._data_byte(byte, messages)
            elif byte >= _FIRST_REAL_TIME:
                if byte not in _UNDEFINED_REAL_TIME:
                    messages.append(bytes((byte,)))
            else:
                self._status_byte(byte, messages)
        return messages

    def _data_byte(self, byte: int, messages: list[bytes]) -> None:
        if self._in_exclusive:
            if len(self._data) < MOST_EXCLUSIVE_BYTES - 1:  # the F7 needs a place
                self._data.append(byte)
            else:
                self._too_long = True
        elif self._status:
            self._data.append(byte)
            if len(self._data) == _N_DATA[self._status]:
                messages.append(bytes((self._status, *self._data)))
                self._data.clear()
                if self._status >= _EXCLUSIVE:
                    self._status = 0

    def _status_byte(self, byte: int, messages: list[bytes]) -> None:
        if byte == _END_OF_EXCLUSIVE and self._in_exclusive and not self._too_long:
            messages.append(bytes(self._data) + b"\xf7")
        self._in_exclusive = self._too_long = False
        self._data.clear()
        self._status = 0
        if byte == _EXCLUSIVE:
            self._in_exclusive = True
            self._data.append(byte)
        elif _N_DATA[byte] == 0:
            messages.append(bytes((byte,)))
        elif _N_DATA[byte] is not None:
            self._status = byte
