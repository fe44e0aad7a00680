"""the encoder board: watch it, simulate it, flash it, test each of its controls"""

from synth.command import Group


class BoardCommand(Group):
    commands = {
        "flash": "firmware_host.flash:FlashCommand",
        "monitor": "firmware_host.monitor:MonitorCommand",
        "simulate": "firmware_host.simulate_command:SimulateCommand",
        "test": "firmware_host.walk_command:TestCommand",
    }
