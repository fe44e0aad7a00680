"""What every page says."""

TEXTS: dict[str, str] = {
    "app.title": "Tetrad",
    "nav.play": "Play",
    "nav.instruments": "Instruments",
    "nav.sound": "Sound",
    "nav.patches": "Patches",
    "nav.settings": "Settings",
    "corner.nw": "north-west",
    "corner.ne": "north-east",
    "corner.sw": "south-west",
    "corner.se": "south-east",
    "corner.empty": "silence",
    "ok": "OK",
    "cancel": "Cancel",
    "close": "Close",
    "trouble.page": "This page broke down ({what}). The sound goes on; report it, and open the page again.",
}
