"""render, import and show pads: notes made ahead, over the whole surface"""

from synth.command import Group


class PadsCommand(Group):
    commands = {
        "import": "synth.pads.original:ImportCommand",
        "show": "synth.pads.show:ShowCommand",
    }
    entry_point_group = "tetrad.pads"
    """`render` is in models, which synth may not import."""
