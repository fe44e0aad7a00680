"""Prints flash, RAM and the deepest stack of the firmware: `python stack_use.py build/tetrad_board.elf`.

The stack is counted in the machine code: each function's pushes and frame, two bytes a call, the deepest path from the
start, and on top of it the deepest interrupt (interrupts do not nest here). A call through a pointer or a recursion
can't be counted so and is an error.
"""

import re
import subprocess
import sys

FLASH_BYTES = 30720  # of 32 KB, less the 2 KB that the Nano's older bootloader takes
RAM_BYTES = 2048
RETURN_ADDRESS_BYTES = 2


def read_functions(elf: str) -> dict[str, list[str]]:
    """The instructions of each function, as avr-objdump words them."""
    listing = subprocess.run(["avr-objdump", "-d", elf], check=True, capture_output=True, text=True).stdout
    functions: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in listing.splitlines():
        if head := re.fullmatch(r"[0-9a-f]+ <(\S+)>:", line):
            lines = functions.setdefault(head[1], [])
        elif "\t" in line:
            lines.append(" ".join(line.split("\t")[2:]))
    return functions


def own_bytes(lines: list[str]) -> int:
    """Bytes that a function pushes and reserves itself."""
    pushed = sum(1 for line in lines if line.startswith("push"))
    pushed += sum(2 for line in lines if re.match(r"rcall \.\+0\b", line))
    frame = 0
    for i, line in enumerate(lines):
        # A frame: r29:r28 take the stack pointer (0x3e:0x3d) and are moved down by its size.
        if not re.match(r"in r29, 0x3e", line):
            continue
        low = lines[i + 1]
        if found := re.match(r"sbiw r28, 0x([0-9a-f]+)", low):
            frame = int(found[1], 16)
        elif found := re.match(r"subi r28, 0x([0-9a-f]+)", low):
            high = re.match(r"sbci? r29, (0x[0-9a-f]+|r1)", lines[i + 2])
            if high is None:
                raise SystemExit(
                    f"A frame is set up by '{low}', '{lines[i + 2]}': stack_use.py doesn't know this form."
                )
            frame = (0 if high[1] == "r1" else int(high[1], 16)) << 8 | int(found[1], 16)
    return pushed + frame


def calls(name: str, lines: list[str]) -> set[tuple[str, bool]]:
    """Functions that a function calls (True), or jumps to (False): libgcc's divisions are labels that jump about."""
    found = set()
    for line in lines:
        if re.match(r"(icall|eicall)", line):
            raise SystemExit(f"{name} calls through a pointer: its stack can't be counted. Call by name.")
        target = re.match(r"(r?call|r?jmp|br\w\w) .*<([^+>]+)>", line)
        if target and target[2] != name:
            found.add((target[2], "call" in target[1]))
    return found


def deepest(functions: dict[str, list[str]], name: str, above: tuple[str, ...] = ()) -> tuple[int, tuple[str, ...]]:
    """Bytes of the deepest path from name, its return address included, and the path."""
    lines = functions[name]
    below = []
    for callee, is_call in calls(name, lines):
        if callee in (*above, name) and is_call:
            raise SystemExit(f"{' > '.join((*above, name, callee))}: recursion; its stack can't be counted.")
        if callee in functions and callee not in above:
            below.append(deepest(functions, callee, (*above, name)))
    depth, path = max(below, default=(0, ()))
    return RETURN_ADDRESS_BYTES + own_bytes(lines) + depth, (name, *path)


def main() -> None:
    elf = sys.argv[1]
    functions = read_functions(elf)
    sections = subprocess.run(["avr-size", "-A", elf], check=True, capture_output=True, text=True).stdout
    size = {line.split()[0]: int(line.split()[1]) for line in sections.splitlines() if line.startswith(".")}
    flash = size[".text"] + size.get(".data", 0)
    ram = size.get(".data", 0) + size.get(".bss", 0) + size.get(".noinit", 0)
    stack, path = deepest(functions, "main")
    interrupts = [
        deepest(functions, name) for name in functions if name.startswith("__vector_") and name != "__vector_default"
    ]
    interrupt, interrupt_path = max(interrupts)
    worst = stack + interrupt
    print(f"flash {flash} of {FLASH_BYTES} bytes")
    print(f"RAM   {ram} of {RAM_BYTES} bytes")
    print(f"stack {worst} bytes at worst: {stack} ({' > '.join(path)}) + {interrupt} ({' > '.join(interrupt_path)})")
    print(f"free  {RAM_BYTES - ram - worst} bytes at worst")
    if flash > FLASH_BYTES or ram + worst > RAM_BYTES:
        raise SystemExit("The firmware does not fit into an ATmega328P.")


if __name__ == "__main__":
    main()
