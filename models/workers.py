"""Worker processes that leave Ctrl-C to the process that started them."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes started inside never receive SIGINT; this process receives it when the block ends.

    A terminal sends Ctrl-C to workers, too. One that is still importing has no handler yet and would print a traceback;
    a blocked signal, which exec passes on, covers it from its first instruction.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
