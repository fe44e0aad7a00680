"""From where on health is trouble: the same for the screen's sentence and for the doctor."""

BUSY_SHARE = 0.8
"""Of a block's time: above it a little more work makes a block late."""
LATE_FRAME_SHARE = 0.001
"""Late control frames over those that there were: one in a thousand is not heard."""
FRAME_SAMPLES = 384
"""Between control frames: 8 ms at 48 kHz."""
