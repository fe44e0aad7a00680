"""Tetrad beside other synthesizers and beside the machine's own limits, in one run on one core.

`python -m benchmarks.peers [--json] [--markdown FILE]`. Every peer plays in a process of its own (`child`), all pinned
to the same core, and they take turns (`measure`), so that whatever else the machine does meets all of them.
"""
