"""list, show, add, record, name, remove and export instruments"""

from synth.command import Group


class InstrumentsCommand(Group):
    commands = {
        "list": "synth.instruments.listing:ListCommand",
        "show": "synth.instruments.listing:ShowCommand",
        "add": "synth.instruments.add:AddCommand",
        "record": "synth.instruments.recording:RecordCommand",
        "rename": "synth.instruments.keeping:RenameCommand",
        "tag": "synth.instruments.keeping:TagCommand",
        "remove": "synth.instruments.keeping:RemoveCommand",
        "restore": "synth.instruments.keeping:RestoreCommand",
        "export": "synth.instruments.keeping:ExportCommand",
    }
