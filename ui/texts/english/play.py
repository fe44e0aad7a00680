"""Texts of the play page."""

TEXTS: dict[str, str] = {
    "play.latch": "Latch",
    "play.gesture": "Gesture",
    "play.gesture_stop": "Done",
    "play.loop": "Loop",
    "play.loop_stop": "Stop",
    "play.keep": "Keep",
    "play.panic": "Silence",
    "play.undo": "Undo",
    "play.keys": "Keys",
    "play.record": "Record",
    "play.record_stop": "Finish",
    "play.mirrored": "Mirror",
    "play.in_time": "In time",
    "play.speed": "{factor:g}×",
    "play.clear": "Clear",
    "play.more": "More",
    "play.less": "Less",
    "play.wanted": "next: {name}",
    "play.kept": "{seconds:.0f} s of sound are in {file}.",
    "play.undone": "Taken back: {what}.",
}
