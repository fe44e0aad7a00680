"""Numbers of others that can't be measured here, each with where it stands."""

from dataclasses import dataclass

ONSS = "github.com/googlecreativelab/open-nsynth-super at aa1138c"
RAVE = "github.com/acids-ircam/RAVE at f048ec4"


@dataclass(frozen=True)
class Published:
    """what: of which measure; text: as the table shows it; source: repository and file."""

    what: str
    text: str
    source: str


RATE = Published("NSynth Super's sounds", "16 kHz", f"{ONSS}, app/open-nsynth/bin/data/settings.json")
MOST_VOICES = Published(
    "NSynth Super's voices", "32, then the oldest ends", f"{ONSS}, app/open-nsynth/third_party/Multisampler.h"
)
DISK = Published("NSynth Super's pads", "pads 1.7 GB or 26 GB", f"{ONSS}, app/readme.md")
CUSTOM = Published(
    "NSynth Super's instruments",
    "36 h on 8 K80 GPUs, for all mixtures of 4 instruments a corner",
    f"{ONSS}, audio/readme.md",
)
RAVE_CUSTOM = Published(
    "RAVE's training",
    "at least 3 h of like recordings and 1,000,000 training steps, only for its first phase",
    f"{RAVE}, docs/training_setup.md and rave/configs/v1.gin",
)
ALL = (RATE, MOST_VOICES, DISK, CUSTOM, RAVE_CUSTOM)
