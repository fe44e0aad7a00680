"""A small sound font, and a note set made of it."""

import pytest

from models.dataset.build import build_note_set
from tests.models.dataset.make_soundfont import write_sound_font

N_LIMIT = 12


@pytest.fixture(scope="session")
def font_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("fonts") / "Test Tones.sf2"
    write_sound_font(path)
    return path


@pytest.fixture(scope="session")
def note_set_dir(tmp_path_factory, font_path):
    """Twelve notes; do not change them: copy the directory."""
    directory = tmp_path_factory.mktemp("sets") / "notes"
    build_note_set(directory, [font_path], jobs=1, limit=N_LIMIT)
    return directory
