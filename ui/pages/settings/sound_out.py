"""Settings: where the sound goes, how loud it is, and recording what is played."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty

from synth.control.parameters import parameter_named
from ui.pages.settings import rows  # noqa: F401  (its rules are used in this file's)
from ui.pages.settings.devices import BLOCKS, RATES_HZ, Outputs, block_ms, level_share, offered, outputs_of
from ui.pages.settings.section import Section
from ui.texts import text
from ui.values import value_words

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

METER_S = 1.0 / 15.0
FALL_DB = 1.5
"""A meter falls so far in METER_S, 22 dB a second, and rises at once."""
FLOOR_DBFS = -60.0
VOLUME = parameter_named("volume")


class SoundOutSection(Section):
    """levels_dbfs: what the meters show, left and right. trouble: why the engine does not tell its devices."""

    refresh_s = METER_S
    outputs = ObjectProperty(Outputs())
    trouble = StringProperty("")
    looking = BooleanProperty(False)
    levels_dbfs = ListProperty([FLOOR_DBFS, FLOOR_DBFS])
    lowest_db = NumericProperty(VOLUME.minimum)
    highest_db = NumericProperty(VOLUME.maximum)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.mirror.bind(connections=self._connected)
        self.look()

    def refresh(self) -> None:
        peaks = self.mirror.levels["peak_dbfs"]
        given = [float(one) for one in peaks[:2] if isinstance(one, int | float)] if len(peaks) >= 2 else []
        now = given if len(given) == 2 else [FLOOR_DBFS, FLOOR_DBFS]
        shown = [max(new, old - FALL_DB, FLOOR_DBFS) for new, old in zip(now, self.levels_dbfs, strict=True)]
        if shown != self.levels_dbfs:
            self.levels_dbfs = shown

    def look(self) -> None:
        """Ask which devices there are; it takes the engine a second."""
        self.looking = True
        self.link.ask("audio_devices", then=self._take, failed=self._fail)

    def _connected(self, *_: object) -> None:
        self.look()

    def use(self, **wish: Any) -> None:
        """Another device, sample rate or block size."""
        self.looking = True
        self.link.ask("audio_use", then=self._used, failed=self._fail, **wish)

    def set_volume(self, volume_db: float) -> None:
        """For the sounding notes, too."""
        self.link.send("set", parameter="volume", value=volume_db)

    def record(self, wanted: bool) -> None:
        """Begin or end a recording of what is played."""
        self.link.ask("record_start" if wanted else "record_stop", then=None if wanted else self._saved)

    def keep(self) -> None:
        """The last minutes become a file."""
        self.link.ask("keep", then=self._saved)

    def _take(self, answer: Mapping[str, Any]) -> None:
        self.outputs, self.trouble, self.looking = outputs_of(answer), "", False

    def _used(self, answer: Mapping[str, Any]) -> None:
        self.look()

    def _fail(self, words: str) -> None:
        self.trouble, self.looking = self.refusal(words), False

    def _saved(self, answer: Mapping[str, Any]) -> None:
        self.mirror.say(text("settings.record.saved", path=answer.get("path", "?")))

    # What the rules show.

    @staticmethod
    def state(audio: Mapping[str, Any]) -> tuple[str, str]:
        """In words, and their kind."""
        match audio["state"]:
            case "running":
                return text("settings.audio.running"), "good"
            case "waiting":
                return text("settings.audio.waiting"), "danger"
            case "none":
                return text("settings.audio.none"), "warning"
        return audio["state"] or text("settings.unknown"), ""

    @staticmethod
    def device_choices(outputs: Outputs, audio: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The devices, or the one that is known where the engine tells of no others."""
        if not outputs.devices:
            return [(audio["device"], audio["device"])] if audio["device"] else []
        return [
            (one.device, text("settings.audio.output", name=one.name, api=one.host_api, rate=one.rate_hz))
            if one.rate_hz > 0
            else (one.device, one.name)
            for one in outputs.devices
        ]

    @staticmethod
    def device_in_use(outputs: Outputs, audio: Mapping[str, Any]) -> str:
        """Key of the choice that is chosen."""
        used = [one.device for one in outputs.devices if one.in_use]
        return used[0] if used else str(audio["device"])

    @staticmethod
    def rate_choices(rate_hz: int) -> list[tuple[int, str]]:
        """Sample rates."""
        return [(one, text("settings.hz", n=one)) for one in offered(RATES_HZ, rate_hz)]

    @staticmethod
    def block_choices(outputs: Outputs, rate_hz: int) -> list[tuple[int, str]]:
        """Block sizes, each with the time that it lasts."""
        choices = [(0, text("settings.audio.own_block"))]
        for one in offered(BLOCKS, outputs.block_samples):
            ms = block_ms(one, rate_hz)
            choices.append((one, text("settings.audio.block", n=one, ms=ms) if ms else str(one)))
        return choices

    @staticmethod
    def latency_words(audio: Mapping[str, Any]) -> str:
        """Of the block that is in use."""
        block, rate_hz = audio["block_samples"], audio["sample_rate_hz"]
        if not block or not rate_hz:
            return text("settings.unknown")
        return text("settings.audio.latency", n=block, ms=block_ms(block, rate_hz))

    @staticmethod
    def next_words(outputs: Outputs, audio: Mapping[str, Any]) -> str:
        """What was chosen and counts from the next start only; "" for nothing."""
        rate_hz = outputs.next_start.get("sample_rate_hz")
        if rate_hz is None or not audio["sample_rate_hz"] or rate_hz == audio["sample_rate_hz"]:
            return ""
        return text("settings.audio.next", n=rate_hz)

    @staticmethod
    def volume_words(volume_db: object) -> str:
        """In dB."""
        return value_words(VOLUME, float(volume_db)) if isinstance(volume_db, int | float) else text("settings.unknown")

    @staticmethod
    def level_words(level_dbfs: float) -> str:
        """In dB below full scale."""
        if level_dbfs <= FLOOR_DBFS:
            return text("settings.audio.quiet")
        return text("settings.audio.clips" if level_dbfs >= 0.0 else "settings.audio.level", n=level_dbfs)

    @staticmethod
    def level_share(level_dbfs: float) -> float:
        """Length of a meter."""
        return level_share(level_dbfs, FLOOR_DBFS)

    @staticmethod
    def recording_words(recording: Mapping[str, Any]) -> str:
        """What is written, or what can be kept."""
        if recording["problem"]:
            return str(recording["problem"])
        if recording["state"] == "on":
            return text("settings.record.on", seconds=recording["seconds"], path=recording["path"])
        return text("settings.record.kept", seconds=recording["kept_s"])
