"""From recordings to an instrument in the library: find, listen, build, write, all or nothing.

An import reads its sources as they are (`sources`), hears every note (`listening`), analyses and encodes them
(`build`), and at the very end puts two files into the library at once: the instrument, and a picture of what was
understood. Whatever ends it before, an error, a full disk, a kill, leaves the library as it was.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.errors import TetradError
from synth.files import atomic_path, full_words, is_full, remove_leftovers
from synth.instruments import bundle
from synth.instruments.build import Description, build_instrument
from synth.instruments.duplicates import made_of, recordings_hash, sounding_like
from synth.instruments.encoder import Encoder
from synth.instruments.format import Instrument, read_header, write_instrument
from synth.instruments.header import content_hash
from synth.instruments.import_request import ImportRequest, ImportResult
from synth.instruments.labels import Label, check_display_name, check_tags, set_label
from synth.instruments.library import PICTURE_SUFFIX, Library, check_name, name_from
from synth.instruments.listening import CancelledError, Heard, listen_all
from synth.instruments.note_names import read_names
from synth.instruments.notes import Finding
from synth.instruments.portrait import write_portrait
from synth.instruments.sources import find
from synth.voices.decoder import Decoder

MOST_REMARKS = 200
"""Lines that a result carries: a folder of 512 files can be wrong in 512 ways."""
_CUT = {"auto": None, "single": False, "cut": True}


@dataclass(frozen=True)
class Progress:
    """Where an import is. step: one of STEPS; done of total notes."""

    step: str
    done: int
    total: int


STEPS = ("find", "listen", "build", "write")

OnProgress = Callable[[Progress], object]
Cancelled = Callable[[], bool]


class DuplicateError(TetradError):
    """It is in the library already. name: as what."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"this is in the library already, as {name}; something new was expected; "
            "to have it twice, ask with --again (a client with again: true)"
        )
        self.name = name


class Networks:
    """Encoder and decoder, opened once."""

    def __init__(self) -> None:
        self.encoder, self.decoder = Encoder(), Decoder()


def import_instrument(
    request: ImportRequest,
    on_progress: OnProgress = lambda _: None,
    cancelled: Cancelled = lambda: False,
    networks: Networks | None = None,
) -> ImportResult:
    """Carry out an import. Raises TetradError, in words, and then the library is as it was.

    DuplicateError where the library has it already, unless the request says `again` or replaces that very instrument.
    cancelled: asked between notes; when it says so, CancelledError.
    """
    library = request.to_library()

    def step(name: str, done: int, total: int) -> None:
        if cancelled():
            raise CancelledError("the import was cancelled; nothing was added")
        on_progress(Progress(name, done, total))

    step("find", 0, len(request.sources))
    library.make_own_folder()
    remove_leftovers(library.own_folder)
    networks = networks or Networks()
    if any(map(bundle.is_instrument_file, request.sources)):
        return _import_file(request, library, networks)
    finding = _find(request, step)
    heard, remarks = listen_all(
        finding,
        pitch=request.pitch,
        pitched=False if request.unpitched else None,
        correct_tuning=request.correct_tuning,
        on_progress=lambda done, total: step("listen", done, total),
        cancelled=cancelled,
    )
    recordings = recordings_hash(one.note for one in heard)
    name = _free_name(request, library, request.name or name_from(finding.name))
    double = made_of(library, recordings)
    _refuse_double(request, double, name)
    instrument = _build(request, name, finding, heard, networks, step)
    step("write", len(heard), len(heard))
    label = Label(recordings=recordings)

    def write_picture(path: Path) -> None:
        write_portrait(instrument, heard, path)

    return _store(request, library, instrument, label, (*finding.problems, *remarks), write_picture)


def _find(request: ImportRequest, step: Callable[[str, int, int], None]) -> Finding:
    """What all the sources hold together; a source that holds nothing usable is an error of its own."""
    findings = []
    for number, source in enumerate(request.sources):
        step("find", number, len(request.sources))
        findings.append(
            find(
                source,
                instrument=request.instrument,
                preset=request.preset,
                pitch=request.pitch,
                cut=_CUT[request.cut],
            )
        )
    first = findings[0]
    notes = [note for finding in findings for note in finding.notes]
    problems = [problem for finding in findings for problem in finding.problems]
    if len(findings) == len(notes) > 1:
        # Recordings one by one: what their names mean shows when they are read together, as those of a folder are.
        readings, remarks = read_names([source.stem for source in request.sources])
        notes = [
            dataclasses.replace(note, pitch=reading.pitch, velocity=reading.velocity or note.velocity)
            for note, reading in zip(notes, readings, strict=True)
        ]
        problems += remarks
    if request.release_s is not None:
        notes = [dataclasses.replace(note, release_s=request.release_s) for note in notes]
    kept = [
        note
        for note in notes
        if (not request.keys or note.pitch in request.keys)
        and (not request.velocities or note.velocity in request.velocities)
    ]
    if not kept:
        raise TetradError(
            f"{request.sources[0].name} has none of the keys and velocities that were asked for; of {len(notes)} notes "
            "one at least was expected; ask for others"
        )
    name = first.name if len(findings) == 1 else _common_name([finding.name for finding in findings])
    return dataclasses.replace(first, name=name, notes=tuple(kept), problems=tuple(problems))


def _common_name(names: Sequence[str]) -> str:
    """What several files' names begin with, or the first one's name."""
    first, last = min(names), max(names)  # what these two begin with alike, all do
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    begin = first[:length]
    return begin if begin in names else begin.strip(" -_.0123456789") or names[0]


def _build(
    request: ImportRequest,
    name: str,
    finding: Finding,
    heard: Sequence[Heard],
    networks: Networks,
    step: Callable[[str, int, int], None],
) -> Instrument:
    done = 0

    def on_note() -> None:
        nonlocal done
        done += 1
        step("build", done, len(heard))

    step("build", 0, len(heard))
    description = Description(
        name=name,
        display_name=check_display_name(request.display_name or _display_name(request, finding, name)),
        family=request.family or finding.family or _usual_family(heard),
        author=request.author or finding.author,
        licence=request.licence or finding.licence,
        source=request.origin or finding.origin or ", ".join(path.name for path in request.sources[:4]),
    )
    description = dataclasses.replace(
        description, **{key: getattr(description, key)[:300] for key in ("author", "licence", "source")}
    )
    instrument = build_instrument(
        [one.note for one in heard], description, networks.encoder, networks.decoder, on_note=on_note
    )
    return dataclasses.replace(instrument, tags=check_tags(request.tags))


def _usual_family(heard: Sequence[Heard]) -> str:
    """What nobody named: sounds without pitch are struck, as a rule."""
    return "keyboard" if any(one.pitched for one in heard) else "mallet"


def _display_name(request: ImportRequest, finding: Finding, name: str) -> str:
    found = " ".join(finding.name.replace("_", " ").split())[:60]
    if request.name or not found:
        return name.replace("-", " ").title()
    return found.title() if found.islower() else found


def _import_file(request: ImportRequest, library: Library, networks: Networks) -> ImportResult:
    """A finished instrument: it is checked and copied."""
    if len(request.sources) > 1:
        raise TetradError("several sources were given, one of them an instrument file; import each by itself")
    path = request.sources[0]
    instrument = bundle.read_instrument_file(path, networks.decoder.model_id)
    name = _free_name(request, library, request.name or bundle.name_of(path, instrument))
    changes = {key: getattr(request, key) for key in ("display_name", "family", "author", "licence", "tags")}
    given = {key: value for key, value in changes.items() if value}
    instrument = dataclasses.replace(instrument, name=name, **given)
    return _store(request, library, instrument, Label(), (), None)


def _free_name(request: ImportRequest, library: Library, wanted: str) -> str:
    """The wanted name; where it is taken, it is an error if the player chose it, else another is found."""
    name = check_name(wanted)
    if request.replace or name not in library.paths():
        return name
    if request.name is not None:
        raise TetradError(f"there is an instrument {name} already; a new name was expected; choose one, or replace it")
    return library.free_name(name)


def _refuse_double(request: ImportRequest, double: str | None, name: str) -> None:
    if double is not None and not request.again and not (request.replace and double == name):
        raise DuplicateError(double)


def _store(
    request: ImportRequest,
    library: Library,
    instrument: Instrument,
    label: Label,
    remarks: Sequence[str],
    write_picture: Callable[[Path], None] | None,
) -> ImportResult:
    """Both files, or neither. What is replaced goes into the trash."""
    path = library.own_path(instrument.name)
    picture = path.with_name(instrument.name + PICTURE_SUFFIX)
    try:
        with atomic_path(path) as temporary:
            size = write_instrument(instrument, temporary)
            # The same sound from other files, or from the same ones after the labels were lost.
            double = sounding_like(library, content_hash(read_header(temporary)))
            _refuse_double(request, double, instrument.name)
            if write_picture is None:
                library.keep_replaced(instrument.name)
            else:
                with atomic_path(picture) as temporary_picture:
                    write_picture(temporary_picture)
                    library.keep_replaced(instrument.name)
    except TetradError as error:
        if not path.exists():
            _remove_picture(picture)
        if is_full(error.__cause__):
            raise TetradError(
                f"{full_words(library.own_folder)}, and that was not enough; nothing was added; make room and try again"
            ) from error
        raise
    if write_picture is None:
        _remove_picture(picture)
    remarks = [*remarks, *_keep_label(library, instrument.name, label)]
    said = tuple(remarks[:MOST_REMARKS])
    if len(remarks) > MOST_REMARKS:
        said = (*said[:-1], f"... and {len(remarks) - MOST_REMARKS + 1} remarks more")
    return ImportResult(
        name=instrument.name,
        display_name=instrument.display_name,
        path=path,
        picture=None if write_picture is None else picture,
        notes=len(instrument.notes),
        size_bytes=size,
        sustains=instrument.sustains,
        remarks=said,
        replaced=request.replace,
    )


def _remove_picture(picture: Path) -> None:
    with contextlib.suppress(OSError):  # the disk fails; the instrument is what counts, and what is said
        picture.unlink(missing_ok=True)


def _keep_label(library: Library, name: str, label: Label) -> list[str]:
    """The instrument is there already; that its label is not on the disk is a remark, and no failure."""
    try:
        set_label(library.own_folder, name, label)
    except TetradError as error:
        return [f"where it comes from is not remembered: {error}"]
    return []
