"""precompute even paths between instruments, and look at them"""

from synth.command import Group


class GridCommand(Group):
    """`tetrad grid ...`"""

    commands = {
        "build": "synth.grid.build_command:BuildCommand",
        "show": "synth.grid.show_command:ShowCommand",
    }
