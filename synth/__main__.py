"""`python -m synth`: the engine by itself, for clients and services. The same as `tetrad play --headless`."""

import sys

from synth.cli import main

sys.exit(main(["play", "--headless", *sys.argv[1:]]))
