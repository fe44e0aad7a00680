"""The screen's texts in English, a file for each page. A translation is another such table with the same keys."""

from ui.texts.english import board, common, instruments, patches, play, settings, sound


def _joined(*tables: dict[str, str]) -> dict[str, str]:
    """Of all tables. A key that stands in two is a defect."""
    joined: dict[str, str] = {}
    for table in tables:
        twice = joined.keys() & table.keys()
        if twice:
            raise ValueError(f"texts stand in two tables: {', '.join(sorted(twice))}")
        joined |= table
    return joined


ENGLISH = _joined(
    common.TEXTS,
    play.TEXTS,
    instruments.TEXTS,
    sound.TEXTS,
    patches.TEXTS,
    settings.TEXTS,
    board.TEXTS,
)
