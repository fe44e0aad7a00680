"""MIDI in from a 5-pin DIN socket on a serial port, at 31,250 baud. The only file of synth that imports serial.

A thread reads the bytes and makes messages of them. It is in one of three states:
- *away*: the device does not open, or broke off; it is tried again every RETRY_S;
- *open*: bytes come, or don't;
- *silent*: the instrument at the other end sends active sensing (FE, at least every 300 ms) and has stopped: its cable
  was pulled out. It counts as lost, which lets its notes go, until bytes come again.
"""

import threading
import time

import serial

from synth.control.midi_bytes import MidiParser
from synth.io.midi_queue import MessageQueue, PortMessage

BAUD = 31_250
BYTE_S = 10.0 / BAUD  # a start bit, eight bits, a stop bit: 320 us
RETRY_S = 1.0
READ_TIMEOUT_S = 0.1
SENSING_LIMIT_S = 0.42
"""300 ms between two FE, and what the MIDI 1.0 specification's detail for receivers adds for clocks that differ."""
_ACTIVE_SENSING = b"\xfe"


class DinMidiInput:
    """One serial port with its parser and its queue. device: such as "/dev/ttyAMA0"; it may come later.

    A message has the time at which its last byte had come in; active sensing is not among the messages.
    """

    def __init__(self, device: str, queue: MessageQueue | None = None) -> None:
        self._device = device
        self.queue = queue or MessageQueue()
        """Where the messages wait, and the port's name when it breaks off or falls silent."""
        self._stopping = threading.Event()
        self.name = f"DIN: {device}"
        self.problem: str | None = "not opened yet"
        """Why nothing can be heard now; None while the port is open."""
        self._thread = threading.Thread(target=self._run, name="din-midi", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and close the port. The queue keeps what it holds."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            opened = False
            try:
                with serial.Serial(self._device, BAUD, timeout=READ_TIMEOUT_S) as port:
                    opened, self.problem = True, None
                    self._read(port)
            except (OSError, ValueError) as error:  # SerialException is an OSError
                self.problem = f"{self._device} does not answer ({error}); plug it in, or name another serial port"
            if opened:
                self.queue.lose(self.name)
            self._stopping.wait(RETRY_S)

    def _read(self, port: serial.Serial) -> None:
        parser = MidiParser()
        sensed_s: float | None = None  # when the last byte came of an instrument that sends active sensing
        while not self._stopping.is_set():
            data = port.read(max(port.in_waiting, 1))
            now_s = time.perf_counter()
            if not data and sensed_s is not None and now_s - sensed_s > SENSING_LIMIT_S:
                self.queue.lose(self.name)
                parser, sensed_s = MidiParser(), None
            for index, byte in enumerate(data):
                # What was read together came one after the other.
                byte_s = now_s - (len(data) - 1 - index) * BYTE_S
                for message in parser.feed(bytes((byte,))):
                    if message == _ACTIVE_SENSING:
                        sensed_s = now_s
                    else:
                        self.queue.put(PortMessage(byte_s, message, self.name))
            if data and sensed_s is not None:
                sensed_s = now_s
