"""How the command line ends when it is told to stop, as by Control-C: without a traceback.

While it starts, nothing has to be put in order, and it leaves at once. Once it works, the signal is
a KeyboardInterrupt: it goes up through the code, which takes back what is half done. This module
is imported before all others, and imports nothing that Python has not loaded by then.
"""

from __future__ import annotations

import atexit
import os
import sys
from time import monotonic

TYPE_CHECKING = False  # that of `typing`, which takes 20 ms
if TYPE_CHECKING:
    import signal
    from types import FrameType, TracebackType
    from typing import Any, NoReturn
else:
    import _signal as signal  # without the enumerations, which take a few more

__all__ = ["IS_PROGRAM", "STOP", "Stop"]

#: Seconds that printing may take to come to its end.
TO_PRINT = 0.5
#: Seconds for KeyboardInterrupt to come through; C code may drop it, as NumPy's does.
TO_END = 2.0


def _is_program() -> bool:
    """Tell whether this process is ``python -m minirobert`` or the script ``minirobert``.

    Other programs that import this package handle their signals themselves.
    """
    arguments: list[str] = getattr(sys, "argv", None) or [""]
    if arguments[0] != "-m":  # Python's own name for what -m is yet looking for
        name = os.path.basename(arguments[0])
        return name.removesuffix(".exe").removesuffix("-script.py") == "minirobert"
    module = sys.orig_argv[len(sys.orig_argv) - len(arguments)]
    return module.removeprefix("-m") in ("minirobert", "minirobert.__main__")


class Stop:
    """What is done when the program is told to stop; as a context, it waits until its end.

    A key that is held sends a signal again and again. So only one that comes later ends at once
    what is being put in order.
    """

    def __init__(self) -> None:
        #: Whether KeyboardInterrupt will be caught.
        self.working = False
        #: Whether what is printed must be whole.
        self.printing = False
        #: The first signal, and when it came.
        self.told: int | None = None
        self.since = 0.0

    def listen(self, *names: str) -> None:
        """Take up signals, except for those that the program was started to ignore."""
        for name in names:
            number = getattr(signal, name, None)  # not each system has all
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.hear)

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if not self.working:
            die(number)
        if self.told is not None:
            if monotonic() - self.since > TO_PRINT:
                die(number)
            return
        self.told, self.since = number, monotonic()
        if self.printing:  # the reader of a full pipe may never go on
            die_after(TO_PRINT, number)
        else:
            self.interrupt()

    def interrupt(self) -> None:
        """Give up what is being done."""
        if self.told is not None:
            die_after(TO_END, self.told)
            raise KeyboardInterrupt

    def work(self) -> None:
        """Let signals be a KeyboardInterrupt from here on."""
        self.working = True
        if IS_PROGRAM:
            self.listen("SIGINT", "SIGTERM", "SIGHUP")
            sys.unraisablehook = self._unraisable
            # When Python ends, it forgets its handlers first.
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)

    def leave(self) -> int:
        """End the program after a KeyboardInterrupt; elsewhere, give the exit code."""
        number = signal.SIGINT if self.told is None else self.told
        self.working, self.told = False, None
        if IS_PROGRAM:
            die_after(TO_PRINT, number)
            _flush()
            die(number)
        return 128 + number

    def _unraisable(self, unraisable: Any) -> None:
        """End the program, too, where nothing can catch KeyboardInterrupt, as in ``__del__``."""
        if self.told is not None:
            die(self.told)
        sys.__unraisablehook__(unraisable)

    def __enter__(self) -> None:
        self.printing = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.printing = False
        self.interrupt()


def die(number: int) -> NoReturn:
    """End now, with the exit code 130 after Control-C, or else by the signal itself.

    The interpreter is not shut down: it would wait for threads.
    """
    if number != signal.SIGINT:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    os._exit(128 + number)


def die_after(seconds: float, number: int) -> None:
    """End then, whatever is being done."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: die(number))
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # closed, full, or without a reader
            continue


IS_PROGRAM = _is_program()
STOP = Stop()
if IS_PROGRAM:
    STOP.listen("SIGINT")
