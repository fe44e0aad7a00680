"""Numbers of others that can't be measured here, each with where it stands."""

from dataclasses import dataclass

ONSS = "github.com/googlecreativelab/open-nsynth-super at aa1138c"
RAVE = "github.com/acids-ircam/RAVE at f048ec4"


@dataclass(frozen=True)
class Published:
    """text: as the table shows it; source: repository and file, or paper."""

    text: str
    source: str


NSYNTH_SUPER = {
    "rate": Published("16 kHz", f"{ONSS}, app/readme.md and audio/readme.md"),
    "voices": Published("32, then the oldest ends", f"{ONSS}, app/src"),
    "disk": Published("1.7 GB or 26 GB of pads", f"{ONSS}, app/readme.md"),
    "custom": Published("36 h on 8 K80 GPUs for 4 instruments a corner (120,000 notes)", f"{ONSS}, audio/readme.md"),
}
RAVE_CUSTOM = Published(
    "at least 3 h of like recordings; 1,000,000 training steps in the first phase alone, on a GPU",
    f"{RAVE}, docs/training_setup.md and rave/configs/v1.gin",
)
RAVE_SPEED = Published("20 times real time at 48 kHz on a laptop's CPU", "arXiv 2111.05011, abstract")
