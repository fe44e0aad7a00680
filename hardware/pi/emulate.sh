#!/usr/bin/env bash
# The whole installation in an emulated Raspberry Pi: an arm64 Debian in a folder, its programs run by QEMU.
#   hardware/pi/emulate.sh bookworm|trixie FOLDER [STEP]...
# Steps, all of them by default: bootstrap install update doctor render tests uninstall. Root is needed, the Debian
# package debootstrap, and QEMU 10 (qemu-user-static of Debian 13): where that is not the system's, QEMU=/path/qemu-aarch64
# names a static one. Some 3 GB; half an hour. FOLDER/said holds what each step said. Variables
# PIP_* and NUMBA_* of this shell are handed on, and nothing of them is written; NUMBA_OPT=1 shortens the compiling of
# the kernels (with 0 numba can't keep most of them, and compiles at each start). The speed says nothing about a device's. DEBIAN_ARCH=amd64 does the same on a PC without QEMU, in minutes.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
tree=$(cd "$here/../.." && pwd)
[ $# -ge 2 ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }
suite=$1 root=$(realpath --canonicalize-missing "$2")/root said=$(realpath --canonicalize-missing "$2")/said
shift 2
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(bootstrap install update doctor render tests uninstall)
arch=${DEBIAN_ARCH:-arm64}
# The first bytes of a program for aarch64, and which of their bits count (binfmt_misc).
AARCH64='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
AARCH64+=':\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
# What Raspberry Pi OS Lite has, and a bare Debian has not.
system=(ca-certificates python3 sudo systemd systemd-sysv udev)
# Tests that need neither speed nor devices, nor the MIDI files of another Debian package.
tests=(tests/synth/control tests/synth/test_files.py tests/synth/test_frames.py tests/synth/test_settings.py
    tests/synth/test_notify.py tests/hardware/test_pi.py tests/firmware_host/test_specification.py
    tests/firmware_host/test_vectors.py)

fail() { printf 'emulate.sh: error: %s\n' "$*" >&2; exit 1; }

check_tools() {
    [ "$(id -u)" -eq 0 ] || fail "it runs as $(id -un); root was expected, for a root file system; use sudo"
    command -v debootstrap >/dev/null || fail "debootstrap is missing; run: apt-get install debootstrap"
    [ "$arch" != "$(dpkg --print-architecture)" ] || return 0
    local qemu version
    qemu=$(realpath "${QEMU:-$(command -v qemu-aarch64-static || echo missing)}")
    [ -x "$qemu" ] || fail "QEMU is missing; run: apt-get install qemu-user-static"
    version=$("$qemu" --version | sed -n 's/.* version \([0-9]*\).*/\1/p')
    # Version 7.2, which Debian 12 has, ends with signal 11 as it loads onnxruntime 1.32.
    [ "${version:-0}" -ge 10 ] || fail "$qemu is version $version; 10 was expected; take Debian 13's qemu-user, and name \
it: QEMU=/path/qemu-aarch64"
    [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    # Where systemd runs it has registered the system's own by itself. F: it is found from inside the folder, too.
    if [ -n "${QEMU:-}" ] || [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
        [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64
        printf '%s' ":qemu-aarch64:M::$AARCH64:$qemu:OCF" >/proc/sys/fs/binfmt_misc/register
    fi
}

# A command in the emulated system, with its mounts gone when it ends.
inside() {
    local variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
        DEBIAN_FRONTEND=noninteractive) name
    for name in "${!PIP_@}" "${!NUMBA_@}"; do variables+=("$name=${!name}"); done
    # shellcheck disable=SC2016
    unshare --mount --propagation private -- bash -c '
        root=$1; shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t sysfs -o ro sysfs "$root/sys"
        mount -t tmpfs tmpfs "$root/run"
        if [ -n "${PIP_CERT:-}" ] && [ -e "$root$PIP_CERT" ]; then mount --bind "$PIP_CERT" "$root$PIP_CERT"; fi
        cat /etc/resolv.conf >"$root/etc/resolv.conf"
        exec chroot "$root" /usr/bin/env --ignore-environment "$@"' inside "$root" "${variables[@]}" "$@"
}

bootstrap() {
    if [ ! -e "$root/etc/os-release" ] || [ -d "$root/debootstrap" ]; then
        unshare --mount --propagation private -- debootstrap --arch="$arch" --variant=minbase \
            --include=ca-certificates "$suite" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
    fi
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"  # nothing is started by its package
    chmod +x "$root/usr/sbin/policy-rc.d"
    inside apt-get --quiet=2 update
    inside apt-get --quiet=2 install --yes --no-install-recommends "${system[@]}"
    inside uname -m
    inside cat /etc/os-release
}

# What git knows of this tree, as it lies here: a clone or an archive holds the same.
bring_tree() {
    rm -rf "$root/srv/tetrad"
    mkdir -p "$root/srv/tetrad"
    if git -C "$tree" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git -C "$tree" ls-files -z --cached --others --exclude-standard
    else
        (cd "$tree" && find . -type f -not -path './.venv/*' -print0)
    fi | tar --create --directory="$tree" --null --files-from=- | tar --extract --directory="$root/srv/tetrad"
}

used_mb() { inside du -smx / | cut -f1; }

install() {
    bring_tree
    local before_mb
    before_mb=$(used_mb)
    inside /srv/tetrad/hardware/pi/install.sh
    inside apt-get clean
    echo "The system grew from $before_mb to $(used_mb) MB"
}

update() {
    inside /srv/tetrad/hardware/pi/install.sh
    inside systemd-analyze verify /etc/systemd/system/tetrad.target
}

doctor() { inside tetrad-box doctor || echo "(exit status $?: there is no sound card here)"; }

render() {
    inside tetrad-box --version
    inside runuser --user tetrad -- /opt/tetrad/.venv/bin/python -c '
import mido
score = mido.MidiFile(ticks_per_beat=480)
track = mido.MidiTrack()
score.tracks.append(track)
for key in (48, 60, 64, 67):
    track.append(mido.Message("note_on", note=key, velocity=90))
track.append(mido.Message("note_off", note=48, time=1920))
for key in (60, 64, 67):
    track.append(mido.Message("note_off", note=key))
score.save("/tmp/score.mid")'
    inside tetrad-box render /tmp/score.mid /tmp/emulated.wav --corners grand-piano cello flute choir --xy 0.5,0.5
    inside ls -l /tmp/emulated.wav
    inside sha256sum /tmp/emulated.wav
}

# pytest at the tests' pins, beside the installation.
tests() {
    bring_tree
    awk '/^[a-zA-Z0-9]/ { take = /^(pytest|pluggy|iniconfig|hypothesis|sortedcontainers|packaging|pygments)==/ } take' \
        "$tree/.ci/requirements/dev.txt" >"$root/srv/test-pins.txt"
    inside python3 -m venv /srv/pip # the installation has none left
    inside /srv/pip/bin/python -m pip install --quiet --no-deps --only-binary=:all: --require-hashes \
        --target /srv/pytest --upgrade --requirement /srv/test-pins.txt
    inside sh -c 'cd /srv/tetrad && exec env PYTHONPATH=/srv/tetrad:/srv/pytest PYTHONDONTWRITEBYTECODE=1 \
        /opt/tetrad/.venv/bin/python -m pytest -q -p no:cacheprovider -m "not slow and not long" \
        --deselect tests/synth/control/test_midi_map.py::test_the_files_of_others_are_there "$@"' sh "${tests[@]}"
}

uninstall() {
    inside /srv/tetrad/hardware/pi/install.sh --uninstall
    inside ls -la /var/lib/tetrad
    inside /srv/tetrad/hardware/pi/install.sh --uninstall --purge
    if inside sh -c 'ls -d /opt/tetrad /var/lib/tetrad /etc/tetrad /etc/systemd/system/tetrad* /etc/udev/rules.d/99-tetrad.rules \
        /usr/local/bin/tetrad* 2>/dev/null; getent passwd tetrad'; then
        fail "something is left after --uninstall --purge (above)"
    fi
    echo "Nothing is left."
}

check_tools
mkdir -p "$said"
for step in "${steps[@]}"; do
    case $step in
        bootstrap | install | update | doctor | render | tests | uninstall) ;;
        *) fail "there is no step $step; bootstrap, install, update, doctor, render, tests or uninstall was expected" ;;
    esac
    began_s=$SECONDS
    echo "=== $suite $arch: $step"
    # Not in a condition, where bash would go on after a command of the step that fails.
    (set -e; "$step") 2>&1 | tee "$said/$step.log"
    echo "=== $suite $arch: $step done in $((SECONDS - began_s)) s" | tee -a "$said/$step.log"
done
