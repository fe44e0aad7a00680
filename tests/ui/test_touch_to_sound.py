"""The whole chain: fingers on a real window, a note from a MIDI keyboard, and what a real engine plays, measured.

One engine, one screen and one JACK server serve all tests here; each begins with the same corners and in silence.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.listening import Keyboard, Recorder, wait_until
from tests.ui.display import Display
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen
from ui.texts import text

RATE_HZ = 48_000
KEY, KEY_HZ = 57, 220.0
CORNERS = {"nw": "flute", "ne": "voice-oohs", "sw": "electric-piano", "se": "choir"}
"""All but the south-west one last, and do not change much while they do."""
OTHER = "Voice Oohs"
"""Near the flute on the wheel, and not near it in sound."""
PLACES = {"nw": (0.0, 1.0), "ne": (1.0, 1.0), "sw": (0.0, 0.0), "se": (1.0, 0.0)}
WINDOW_S = 0.2
LEVEL_S = 0.015
"""Any gap of 30 ms has one of these in it."""
GAP_DB, CLICK = 10.0, 2.0
"""Below the quieter of the two sounds it would be a gap; a step so many times their largest one would be a click."""

Sound = NDArray[np.float32]


def spectrum_db(sound: Sound) -> NDArray[np.float64]:
    """Its power in third octaves from 100 Hz to 16 kHz, against all of them; nothing counts below -60 dB."""
    window = np.hanning(len(sound))
    power = np.abs(np.fft.rfft(sound * window)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1.0 / RATE_HZ)
    edges = 100.0 * 2.0 ** (np.arange(23) / 3.0)
    bands = np.array([power[(hz >= low) & (hz < high)].sum() for low, high in pairwise(edges)])
    result: NDArray[np.float64] = 10.0 * np.log10(bands / bands.sum() + 1e-6)
    return result


def windows(sound: Sound) -> list[NDArray[np.float64]]:
    """Spectra of its windows, one beginning in the middle of the other."""
    n = int(WINDOW_S * RATE_HZ)
    return [spectrum_db(sound[start : start + n]) for start in range(0, len(sound) - n + 1, n // 2)]


def timbre(sound: Sound) -> NDArray[np.float64]:
    """Mean of its windows' spectra, dB."""
    mean: NDArray[np.float64] = np.mean(windows(sound), axis=0)
    return mean


def distance_db(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Between two spectra."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def way(sound: Sound, start: Sound, end: Sound) -> NDArray[np.float64]:
    """How far each window of it is on the way from one timbre to another: 0 there, 1 here. What lies across the way, as
    a string's vibrato does, does not count."""
    first, last = timbre(start), timbre(end)
    ahead = last - first
    return np.array([np.dot(spectrum - first, ahead) / np.dot(ahead, ahead) for spectrum in windows(sound)])


def levels_db(sound: Sound) -> NDArray[np.float64]:
    """Of each 15 ms."""
    n = int(LEVEL_S * RATE_HZ)
    blocks = sound[: len(sound) // n * n].reshape(-1, n).astype(np.float64)
    result: NDArray[np.float64] = 10.0 * np.log10(np.mean(blocks**2, axis=1) + 1e-12)
    return result


def assert_unbroken(sound: Sound, *references: Sound) -> None:
    """It never is much quieter than the quieter reference is, and has no step that none of them has."""
    least_db = min(float(levels_db(one).min()) for one in references)
    assert levels_db(sound).min() > least_db - GAP_DB
    steepest = max(float(np.abs(np.diff(one)).max()) for one in references)
    assert np.abs(np.diff(sound)).max() < CLICK * steepest


@dataclass
class Stage:
    """engine, screen, recorder and keyboard are connected with one another. folder: the player's home."""

    engine: EngineProcess
    screen: Screen
    recorder: Recorder
    keyboard: Keyboard
    folder: Path

    def hear(self, seconds: float) -> Sound:
        """What is played from now on: so many seconds of the sound, however long they take."""
        return self.since(self.recorder.n_samples, seconds)

    def since(self, start: int, seconds: float = 0.0) -> Sound:
        """What was played since that sample until now, at least so many seconds; its left channel."""
        wait_until(lambda: self.recorder.n_samples >= start + seconds * RATE_HZ, "sound")
        stop = start + round(seconds * RATE_HZ) if seconds else None
        return self.recorder.samples()[start:stop, 0]

    def press(self) -> None:
        """The key goes down; returns when the screen shows its note, and the beginning of the tone is over."""
        self.keyboard.send(bytes((0x90, KEY, 100)))
        self.screen.wait_for_mirror("notes", bool)
        self.hear(0.6)

    def rest(self, corner: str) -> None:
        """The point is in a corner, without a finger."""
        x, y = PLACES[corner]
        self.engine.client.request("point", x=x, y=y)
        self.hear(0.4)

    def reference(self, corner: str) -> Sound:
        """The key with the point in that corner from its beginning on."""
        self.rest(corner)
        self.press()
        sound = self.hear(0.8)
        self.release()
        return sound

    def release(self) -> None:
        """The key goes up; returns when nothing sounds any more."""
        self.keyboard.send(bytes((0x80, KEY, 0)))
        self.screen.wait_for_mirror("notes", lambda notes: not notes)

    def on_surface(self, x: float, y: float) -> tuple[float, float]:
        """Where on the panel a place of the surface is, x from west and y from south, 0..1 of the widget."""
        left, bottom, right, top = self.screen.find(**{"class": "Surface"}).known["rectangle"]
        width, height = self.screen.size
        return (left + x * (right - left)) / (width - 1), 1.0 - (bottom + y * (top - bottom)) / (height - 1)

    def tiles(self, name: str) -> list[tuple[float, float]]:
        """Where on the panel patches of that name are, of those that the grid shows."""
        corners = [label.known["rectangle"][:2] for label in self.screen.widgets(text=name)]
        found = []
        for seen in self.screen.widgets(**{"class": "Tile"}):
            left, bottom, right, top = seen.known["rectangle"]
            if any(left <= x <= right and bottom <= y <= top for x, y in corners):
                found.append(seen.place)
        return found

    def point_at(self, corner: str) -> None:
        """Wait until the engine has the finger there."""
        place = PLACES[corner]
        self.engine.client.wait_for(lambda s: (s["parameters"]["x"], s["parameters"]["y"]) == place, 30.0)

    def parameters(self) -> dict[str, float]:
        """The engine's, all."""
        values: dict[str, float] = self.engine.client.request("status")["parameters"]
        return values

    def corner(self, name: str) -> str:
        """The instrument in it."""
        instrument: str = self.engine.client.request("status")["corners"][name]["instrument"]
        return instrument


@pytest.fixture(scope="module")
def whole_stage(jack_server: str, display: Display, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("home")
    recorder, keyboard = Recorder(jack_server), Keyboard(jack_server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("JACK_DEFAULT_SERVER", jack_server)
        patch.setenv("JACK_NO_START_SERVER", "1")
        with EngineProcess(home, "--audio", "jack", "--midi", "keyboard") as engine:
            engine.start()
            recorder.connect("Tetrad")
            screen = Screen(home, display=display)
            screen.start()
            screen.connected()
            yield Stage(engine, screen, recorder, keyboard, home)
            screen.close()
    keyboard.close()
    recorder.close()
    assert not screen.troubles, "\n".join(screen.troubles)


@pytest.fixture
def stage(whole_stage: Stage) -> Stage:
    """The play page, the point in the north-west, four known instruments, silence."""
    client, screen = whole_stage.engine.client, whole_stage.screen
    client.request("panic")
    client.request("gesture_clear")
    client.request("set", parameter="brightness", value=0.0)
    for corner, instrument in CORNERS.items():
        if whole_stage.corner(corner) != instrument:
            client.request("corner", corner=corner, instrument=instrument)
    screen.show("play")
    screen.wait_for_mirror("notes", lambda notes: not notes)
    whole_stage.rest("nw")
    return whole_stage


@pytest.mark.parametrize(("start", "end"), [("nw", "se"), pytest.param("nw", "ne", marks=pytest.mark.long)])
def test_a_swipe_from_corner_to_corner_is_heard(stage: Stage, start: str, end: str) -> None:
    references = first, last = stage.reference(start), stage.reference(end)
    apart_db = distance_db(timbre(first), timbre(last))
    assert apart_db > 5.0, "the corners sound alike, so that nothing can be heard of a way between them"
    stage.rest(end)
    stage.press()
    panel = stage.screen.panel
    # Beside the corner's picture, which would open the wheel; then into the corner.
    x, y = PLACES[start]
    finger = panel.put(*stage.on_surface(0.5 + (x - 0.5) * 0.4, 0.5 + (y - 0.5) * 0.4))
    panel.drag(finger, stage.on_surface(*PLACES[start]), 0.2)
    stage.point_at(start)
    stage.hear(0.4)

    began = stage.recorder.n_samples
    stage.hear(0.6)
    # By the sound's clock: it goes slower than ours on a busy machine, and a swipe would be a jump in it.
    panel.drag(finger, stage.on_surface(*PLACES[end]), 1.5, stage.hear)
    stage.point_at(end)
    stage.hear(0.8)
    swipe = stage.since(began)
    panel.lift(finger)
    stage.point_at(end)

    shares = way(swipe, first, last)
    assert abs(shares[:4].mean()) < 0.15
    assert abs(shares[-4:].mean() - 1.0) < 0.15
    steps = shares[: len(shares) // 4 * 4].reshape(-1, 4).mean(axis=1)  # what a tone does by itself is gone from these
    assert np.diff(steps).min() > -0.1, f"it went back: {np.round(steps, 2)}"
    assert np.count_nonzero((shares > 0.2) & (shares < 0.8)) >= 4, f"it jumped: {np.round(shares, 2)}"
    assert_unbroken(swipe, *references)
    assert {note["key"] for note in stage.engine.client.request("status")["notes"]} == {KEY}


@pytest.mark.long
def test_another_instrument_in_a_corner_is_heard_while_the_note_sounds(stage: Stage) -> None:
    before = stage.reference("nw")
    stage.press()
    began = stage.recorder.n_samples
    plate = stage.screen.find(corner="nw", **{"class": "CornerPlate"}).known["rectangle"]
    half = (plate[3] - plate[1]) / 2.0
    stage.screen.panel.tap((plate[0] + half) / 799.0, 1.0 - (plate[1] + half) / 479.0)
    stage.screen.tap(**{"class": "WheelRow", "name": OTHER})
    stage.engine.client.wait_for(lambda status: status["corners"]["nw"]["display_name"] == OTHER, 60.0)
    stage.hear(1.2)
    change = stage.since(began)
    stage.release()
    after = stage.reference("nw")
    assert distance_db(timbre(before), timbre(after)) > 5.0
    shares = way(change, before, after)
    assert shares[0] < 0.3
    assert shares[-4:].min() > 0.7
    assert_unbroken(change, before, after)


def test_a_saved_patch_comes_back_by_a_tap(stage: Stage) -> None:
    screen, client = stage.screen, stage.engine.client
    stage.press()
    as_saved, saved = stage.hear(0.8), stage.parameters()
    screen.show("patches")
    screen.tap(text=text("patches.save"))
    screen.tap(text=text("patches.save.new"))
    screen.wait_for_mirror("patch", lambda patch: patch["name"] and not patch["edited"])
    name = client.request("status")["patch"]["name"]

    screen.show("sound")
    screen.tap(**{"class": "TouchButton", "text": "Timbre"})
    fader = screen.find(**{"class": "Fader", "name": "brightness"})
    x, y = fader.place
    screen.panel.swipe((x, y), (x + 0.3 * fader.size_px[0] / 800.0, y), 0.3)
    screen.wait_for_mirror("parameters", lambda values: values["brightness"] > 2.0)
    stage.hear(0.4)
    changed = stage.hear(0.8)

    screen.show("patches")
    wait_until(lambda: text("patches.edited") in screen.texts(), "the word that it was edited")
    wait_until(lambda: stage.tiles(name), "its tile")
    screen.panel.tap(*stage.tiles(name)[0])
    client.wait_for(lambda status: status["patch"]["name"] == name and not status["patch"]["edited"], 30.0)
    assert stage.parameters() == saved
    stage.hear(0.6)
    recalled = stage.hear(0.8)
    off_db = distance_db(timbre(changed), timbre(as_saved))
    assert off_db > 3.0
    assert distance_db(timbre(recalled), timbre(as_saved)) < 0.3 * off_db


@pytest.mark.long
def test_a_looped_gesture_goes_on_without_the_finger_and_is_heard(stage: Stage) -> None:
    screen, client = stage.screen, stage.engine.client
    first, last = stage.reference("nw"), stage.reference("se")
    stage.rest("nw")
    stage.press()
    screen.tap(**{"class": "BarButton", "text": text("play.gesture")})
    screen.wait_for_mirror("gesture", lambda gesture: gesture["state"] == "recording")
    finger = screen.panel.put(*stage.on_surface(0.2, 0.8))
    screen.panel.drag(finger, stage.on_surface(*PLACES["nw"]), 0.2)
    time.sleep(0.3)
    screen.panel.drag(finger, stage.on_surface(*PLACES["se"]), 1.0, stage.hear)
    time.sleep(0.3)
    screen.panel.lift(finger)
    screen.tap(**{"class": "BarButton", "text": text("play.gesture_stop")})
    screen.wait_for_mirror("gesture", lambda gesture: gesture["state"] == "ready")
    screen.tap(**{"class": "BarButton", "text": text("play.loop")})
    client.wait_for(lambda status: status["gesture"]["state"] == "playing", 30.0)

    began, length_s = stage.recorder.n_samples, client.status["gesture"]["length_s"]
    points: list[tuple[float, float]] = []
    while stage.recorder.n_samples < began + 2.2 * length_s * RATE_HZ:
        point: dict[str, Any] = client.status["point"]
        assert not point["touching"]
        points.append((point["x"], point["y"]))
        time.sleep(0.02)
    looped = stage.since(began)
    across = [x for x, _ in points]
    assert min(across) < 0.05
    assert max(across) > 0.95
    assert max(abs(x + y - 1.0) for x, y in points) < 0.05, "it left the finger's path"
    shares = way(looped, first, last)
    assert shares.min() < 0.3
    assert shares.max() > 0.7
    again = round(length_s / (WINDOW_S / 2.0))
    same = np.abs(shares[again:] - shares[:-again]).mean()
    shifted = np.abs(shares[again // 2 :] - shares[: -(again // 2)]).mean()
    assert same < 0.5 * shifted, "the second round does not sound as the first"
    assert_unbroken(looped, first, last)


def test_an_imported_file_is_heard_in_a_corner(stage: Stage) -> None:
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    wanted_db = np.array([0.0, -20.0, -6.0, -30.0, -12.0, -24.0])
    tone = sum(10.0 ** (db / 20.0) * np.sin(2.0 * np.pi * KEY_HZ * (k + 1) * t) for k, db in enumerate(wanted_db))
    edges = np.minimum(t / 0.05, 1.0) * np.minimum((2.0 - t) / 0.2, 1.0)
    soundfile.write(stage.folder / "hollow tone A3.wav", 0.2 * tone * edges, RATE_HZ)

    screen = stage.screen
    screen.show("instruments")
    screen.tap(text="Add")
    screen.tap(text="hollow tone A3.wav")
    screen.tap(text="Add it")
    wait_until(lambda: [job["state"] for job in screen.mirror("import_jobs")] == ["done"], "the import's end")
    screen.tap(text="hollow tone A3.wav")
    screen.tap(text="Show it")
    screen.tap(**{"class": "CornerButton", "corner": "ne"})
    stage.engine.client.wait_for(lambda status: status["corners"]["ne"]["instrument"].startswith("hollow"), 60.0)

    screen.show("play")
    heard = stage.reference("ne")
    power = np.abs(np.fft.rfft(heard * np.hanning(len(heard)), 8 * len(heard))) ** 2
    hz = np.fft.rfftfreq(8 * len(heard), 1.0 / RATE_HZ)
    loudest_hz = hz[power.argmax()]
    assert abs(1200.0 * np.log2(loudest_hz / KEY_HZ)) < 10.0
    peaks = [power[np.abs(hz - loudest_hz * k) < 5.0].max() for k in range(1, 7)]
    levels = 10.0 * np.log10(np.array(peaks) / peaks[0])
    assert np.abs(levels - wanted_db).max() < 3.0
