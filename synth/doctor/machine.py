"""Where the checks look: the system's files below a root folder, so that another machine's can be looked at."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """root: below which /proc, /sys, /dev and /etc lie. environment: variables. uid, groups: of the user; 0 is root."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    uid: int = field(default_factory=os.geteuid)
    groups: tuple[int, ...] = field(default_factory=lambda: (os.getegid(), *os.getgroups()))

    def path(self, name: str) -> Path:
        """Of an absolute name."""
        return self.root / name.lstrip("/")

    def glob(self, pattern: str) -> list[Path]:
        """Files by an absolute pattern, in the order of their names."""
        return sorted(self.root.glob(pattern.lstrip("/")))

    def text(self, name: str | Path) -> str:
        """A file's text without blanks around it; empty where it can't be read."""
        path = name if isinstance(name, Path) else self.path(name)
        try:
            return path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def may_open(self, path: Path) -> bool:
        """Whether the rights of a device file let this user read and write; root may all. False where there is none."""
        try:
            found = path.stat()
        except OSError:
            return False
        of_user = found.st_mode & 0o600 == 0o600 and found.st_uid == self.uid
        of_group = found.st_mode & 0o060 == 0o060 and found.st_gid in self.groups
        return self.uid == 0 or of_user or of_group or found.st_mode & 0o006 == 0o006

    def number(self, name: str | Path) -> int | None:
        """A file's whole number; None where there is none."""
        try:
            return int(self.text(name), 0)
        except ValueError:
            return None

    def model(self) -> str:
        """What the computer is called, "Raspberry Pi 4 Model B Rev 1.5"; empty where it does not tell."""
        named = self.text("/proc/device-tree/model")
        return named or " ".join(
            filter(None, (self.text("/sys/class/dmi/id/sys_vendor"), self.text("/sys/class/dmi/id/product_name")))
        )

    def processor(self) -> str:
        """Name of the processor's first core; empty where it does not tell."""
        for line in self.text("/proc/cpuinfo").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model", "Processor"):
                return value.strip()
        return ""
