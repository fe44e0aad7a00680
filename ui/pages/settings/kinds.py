"""What is good, what is a warning and what is wrong: a colour and a sign each, for colour alone is no sign."""

from ui.theme import Colour, Theme

ICONS = {"good": "check", "warning": "warning", "danger": "close", "info": "info"}


def kind_colour(theme: Theme, kind: str, otherwise: Colour) -> Colour:
    """Of "good", "warning" or "danger"; `otherwise` of anything else."""
    return {"good": theme.good, "warning": theme.warning, "danger": theme.danger}.get(kind, otherwise)


def kind_icon(kind: str) -> str:
    """Name of its sign; "" for what needs none."""
    return ICONS.get(kind, "")
