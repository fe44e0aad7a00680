"""Which pitch, family and qualities a note has, by a network trained on recordings: NSynth's Table 1."""
