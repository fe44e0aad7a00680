#!/usr/bin/env bash
# Sets Tetrad up in .venv/ beside the sources: .ci/setup.sh runtime|models|dev (each holds those before it).
# Called by the Makefile; a stamp in .venv/ makes it happen once. On a fresh Debian 12 it needs nothing else first.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=$1
python=${PYTHON:-python3}
pins=.ci/requirements

say() { printf '\n== %s\n' "$*"; }

packages=(
    libportaudio2 "PortAudio, which carries the sound to the sound card"
    libgl1 "OpenGL, which draws the screen"
    libegl1 "OpenGL without a desktop"
    libgles2 "OpenGL on a Raspberry Pi"
    libgl1-mesa-dri "OpenGL's drivers, one of which needs no graphics card"
    libmtdev1 "touch screens"
)
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    packages+=(python3-venv "makes the virtual environment .venv/")
fi
if [ "$purpose" = dev ]; then
    packages+=(
        libfluidsynth3 "FluidSynth, which plays the sound fonts that the tests import"
        jackd2 "a sound server with a dummy card, on which the tests play and record"
        openttd-openmsx "MIDI files by other people, which the tests render"
        xvfb "a display without a screen, in which the tests open real windows"
        xdotool "a pointer that touches them"
        gcc-avr "the compiler of the encoder board's firmware"
        avr-libc "its library"
        binutils-avr "its linker"
        simavr "the board's microcontroller, simulated cycle by cycle"
        libsimavr-dev "the same for the program that turns its pins"
        libelf-dev "which reads the firmware"
        gcc "the compiler of that program"
        pkg-config "which finds the simulator"
        shellcheck "which reads the device's installer"
    )
fi
.ci/apt.sh "${packages[@]}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "$python is $("$python" --version 2>&1 || true); Tetrad needs Python 3.11 or newer; install it, or name it: make PYTHON=python3.12 ..." >&2
    exit 1
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "Making the virtual environment .venv/ with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

# Every package is pinned with those it needs, so nothing is to be resolved (--no-deps). What is only imported by tests
# and training is compiled when it is imported, a tenth of it all; a player's first start is not to wait for that.
pip() { .venv/bin/python -m pip --disable-pip-version-check install --quiet "${compile[@]}" "$@"; }
compile=(--no-compile)
[ "$purpose" != runtime ] || compile=(--compile)
say "Installing the Python packages for '$purpose', at the versions in $pins/$purpose.txt"
pip --require-hashes --no-deps -r "$pins/build.txt"
if [ "$purpose" != runtime ]; then
    say "Installing torch (large: its CPU build is 200 MB, builds with CUDA are several GB)"
    pip -r "$pins/torch.txt"
    pip --require-hashes --no-deps -r "$pins/no-deps.txt"
fi
pip --require-hashes --no-deps -r "$pins/$purpose.txt"
pip --no-build-isolation --no-deps --editable .
if [ "$purpose" != runtime ]; then
    .venv/bin/python -m models.fix_torchaudio
fi

case $purpose in
    dev) touch .venv/stamp-runtime .venv/stamp-models .venv/stamp-dev ;;
    models) touch .venv/stamp-runtime .venv/stamp-models ;;
    *) touch .venv/stamp-runtime ;;
esac
say "Ready: .venv/bin/tetrad"
