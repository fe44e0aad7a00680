"""The play page: the surface with its four corners, the bar of gestures, the keys."""
