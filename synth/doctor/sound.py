"""Sound cards: which there are, which one is taken, what it can, and why one can't be opened."""

from collections.abc import Callable, Sequence

from synth.doctor import engine as running
from synth.doctor.check import Check, fail, failed, ok, warn
from synth.doctor.engine import RunningEngine
from synth.doctor.machine import Machine
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ
from synth.io.audio import settle
from synth.io.sound_cards import OutputDevice, Settled, open_latency_s, output_devices, working_rates
from synth.settings import Settings

NULL = "null"
BLOCKS = (64, 128, 256, 512, 1024)
_GROUP = "sudo usermod -aG audio $USER, log out and in again"


def checks(machine: Machine, settings: Settings, engine: RunningEngine | None) -> list[Check]:
    """Where an engine runs its card is left alone: that is busy, and playing tells more than a trial."""
    if engine is not None:
        return [running.sound(engine), *cards(machine)]
    rate_hz = settings.sample_rate_hz or SAMPLE_RATE_HZ
    if settings.audio_device == NULL:
        return [ok("sound card", "none is wanted: settings.toml says null"), *cards(machine)]
    try:
        devices = output_devices()
        settled = settle(settings.audio_device, rate_hz)
    except TetradError as error:
        return [failed("sound card", error), *cards(machine)]
    if settled is None:
        return [unheard(machine, devices)]
    found = f"{settled.device}" + (f"; there are also {_listed(devices, settled)}" if len(devices) > 1 else "")
    first = warn("sound card", f"{found}; {settled.notice}", "choose that rate (Settings, or --rate), or another card")
    return [ok("sound card", found) if not settled.notice else first, *cards(machine), *_abilities(settled)]


def cards(machine: Machine) -> list[Check]:
    """Cards that the kernel has and this user may not open; nothing where all is well."""
    nodes = machine.glob("/dev/snd/pcm*p")
    refused = [node for node in nodes if not machine.may_open(node)]
    if not refused:
        return []
    return [fail("sound card rights", f"{refused[0].name} may not be opened by this user", _GROUP)]


def unheard(machine: Machine, devices: Sequence[OutputDevice]) -> Check:
    """Why no sound card can be used, as far as the system's files tell."""
    name = "sound card"
    known = _kernel_cards(machine)
    without = "`tetrad play --audio null` plays without one, `tetrad render` writes files"
    if not known:
        listed = f" ({', '.join(map(str, devices))} leads nowhere)" if devices else ""
        return fail(name, f"there is none{listed}", f"plug one in, or switch one on in config.txt; {without}")
    refused = cards(machine)
    if refused:
        return fail(name, f"{', '.join(known)}; {refused[0].value}", refused[0].remedy)
    holders = _holders(machine)
    if holders:
        return fail(name, f"{', '.join(known)}; in use by {', '.join(holders)}", "end that program, or choose another")
    return fail(name, f"{', '.join(known)}; none takes stereo at a usual rate", f"plug in another one; {without}")


def _abilities(settled: Settled) -> list[Check]:
    """Rates and block sizes of the card that would be taken. It is opened, and not played."""
    device, rate_hz = settled.device, settled.sample_rate_hz
    rates = working_rates(device)
    found = [ok("sound card rates", f"{', '.join(map(str, rates))} Hz; {rate_hz} Hz is used")]
    if device.is_jack:
        return [*found, ok("sound card blocks", "as the JACK server has them")]
    return [*found, blocks(rate_hz, lambda block: open_latency_s(device, rate_hz, block))]


def blocks(rate_hz: int, latency_s: Callable[[int], float]) -> Check:
    """latency_s: of a stream with blocks of that many samples; raises TetradError where it does not open."""
    name, taken, refusal = "sound card blocks", [], None
    for block in BLOCKS:
        try:
            taken.append(f"{block} ({1000.0 * latency_s(block):.1f} ms)")
        except TetradError as error:
            refusal = error
    if taken:
        return ok(name, f"{', '.join(taken)} samples at {rate_hz} Hz, in brackets its latency")
    return failed(name, refusal) if refusal is not None else fail(name, "none were tried", "report this")


def _listed(devices: Sequence[OutputDevice], settled: Settled) -> str:
    others = [str(device) for device in devices if device[1:3] != settled.device[1:3]]
    return ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")


def _kernel_cards(machine: Machine) -> list[str]:
    """Names of the cards that ALSA has drivers for."""
    lines = machine.text("/proc/asound/cards").splitlines()
    return [line.partition(" - ")[2].strip() for line in lines if " - " in line]


def _holders(machine: Machine) -> list[str]:
    """Programs that play on a card now."""
    found = []
    for status in machine.glob("/proc/asound/card*/pcm*p/sub*/status"):
        owner = next((line for line in machine.text(status).splitlines() if line.startswith("owner_pid")), "")
        pid = owner.partition(":")[2].strip()
        if pid.isdigit():
            found.append(f"{machine.text(f'/proc/{pid}/comm') or 'a program'} (process {pid})")
    return sorted(set(found))
