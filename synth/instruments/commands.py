"""list, show and add instruments"""

from synth.command import Group


class InstrumentsCommand(Group):
    commands = {
        "list": "synth.instruments.listing:ListCommand",
        "show": "synth.instruments.listing:ShowCommand",
        "add": "synth.instruments.add:AddCommand",
    }
