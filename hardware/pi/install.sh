#!/usr/bin/env bash
# Makes a Raspberry Pi (Raspberry Pi OS bookworm or trixie, arm64; any Debian 12 or 13) into a Tetrad:
#   sudo hardware/pi/install.sh                 install, or update from this folder
#   sudo hardware/pi/install.sh --uninstall     take all of it away, but keep patches, instruments and recordings
#   sudo hardware/pi/install.sh --uninstall --purge      and those too, with settings and user
# With --no-compile the engine's kernels are compiled at its first start (a minute or more) instead of now.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source=$(cd "$here/../.." && pwd)
prefix=/opt/tetrad
data=/var/lib/tetrad
settings=/etc/tetrad/tetrad.conf
units=(tetrad.target tetrad-engine.service tetrad-screen.service tetrad-board.service)
groups=(audio video render input dialout plugdev)
free_mb_wanted=1200
python=python3
modules="asyncio, cobs, jack, kivy, mido, numba, numpy, onnxruntime, PIL, platformdirs, pythonosc, rtmidi, serial, \
sounddevice, soundfile, soxr, swift_f0"

say() { printf '== %s\n' "$*"; }
fail() { printf 'install.sh: error: %s\n' "$*" >&2; exit 1; }
runs_systemd() { [ -d /run/systemd/system ]; }

check_machine() {
    [ "$(id -u)" -eq 0 ] || fail "it runs as $(id -un); root was expected; run: sudo $0 $*"
    command -v apt-get >/dev/null || fail "there is no apt-get; Raspberry Pi OS or Debian was expected; see README.md"
    # shellcheck source=/dev/null
    debian=$(. /etc/os-release && echo "${VERSION_ID:-0}")
    case $debian in
        12 | 13) ;;
        *) fail "this is version '$debian' of a system; Debian or Raspberry Pi OS 12 or 13 was expected; use one" ;;
    esac
    case $(dpkg --print-architecture) in
        arm64 | amd64) ;;
        *) fail "the system is $(dpkg --print-architecture); a 64-bit one (arm64) was expected; write the 64-bit image" ;;
    esac
    [ -f "$source/pyproject.toml" ] || fail "$source has no pyproject.toml; a clone or a release archive was expected"
}

check_room() {
    local free_mb
    free_mb=$(df --output=avail -BM /opt | tail -n 1 | tr -dc '0-9')
    [ "$free_mb" -ge "$free_mb_wanted" ] ||
        fail "$free_mb MB are free on the disk of /opt; $free_mb_wanted were expected; make room"
}

install_packages() {
    local missing=() name since purpose
    while read -r name since purpose; do
        [ "$since" = - ] || [ "$debian" -ge "$since" ] || continue
        if ! dpkg-query --show --showformat='${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii'; then
            missing+=("$name")
            echo "   $name: $purpose"
        fi
    done < <(grep -v '^#' "$here/packages.txt")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get --quiet=2 update
    apt-get --quiet=2 install --yes --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install ${missing[*]}; its lines are above; a network was expected; run this again"
}

make_user() {
    local group there=()
    if ! getent passwd tetrad >/dev/null; then
        say "The user tetrad"
        useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin tetrad
    fi
    for group in "${groups[@]}"; do
        if getent group "$group" >/dev/null; then there+=("$group"); fi
    done
    usermod --append --groups "$(IFS=,; echo "${there[*]}")" tetrad
    install --directory --owner=tetrad --group=tetrad --mode=0700 "$data" "$data/cache"
}

# Beside the old one first: where the disk is full or the power goes, the old program is whole.
copy_program() {
    say "The program, to $prefix"
    local incoming=$prefix/.incoming part
    install --directory --mode=0755 "$prefix"
    rm -rf "$incoming"
    mkdir -m 0755 "$incoming"
    tar --create --directory="$source" --exclude='__pycache__' --exclude='*.egg-info' --exclude='ui/pictures' \
        --exclude='hardware/drawings' --exclude='hardware/firmware/build' --exclude='models/pretrained/checkpoint.*' \
        pyproject.toml README.md CHANGELOG.md LICENSE .ci/requirements synth models ui firmware_host hardware |
        tar --extract --directory="$incoming" --no-same-owner --no-same-permissions
    chmod -R u=rwX,go=rX "$incoming"
    for part in "$incoming"/* "$incoming"/.ci; do
        rm -rf "${prefix:?}/$(basename "$part")"
        mv "$part" "$prefix/"
    done
    rmdir "$incoming"
}

# The pins, without what only Kivy's widgets for source text and markup need, and without what Debian packages because
# it has no wheel: pip takes wheels only, and nothing is compiled.
device_pins() {
    local left_out="docutils|pygments"
    [ "$debian" -lt 13 ] || left_out+="|python-rtmidi"
    awk -v names="^($left_out)==" '/^[a-zA-Z0-9]/ { skip = $0 ~ names } !skip' "$prefix/.ci/requirements/runtime.txt"
}

install_python() {
    local venv=$prefix/.venv site_packages=() packages=
    [ "$debian" -lt 13 ] || site_packages=(--system-site-packages)
    # Of another Python, after an upgrade of the system, there is none.
    packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null) || packages=
    if [ ! -d "$packages" ]; then
        say "The virtual environment, with $("$python" --version)"
        "$python" -m venv --clear "${site_packages[@]}" "$venv"
    elif ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m ensurepip >/dev/null # slim.py took it away
    fi
    say "The Python packages: wheels at the pinned versions, with checked hashes"
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    [ -n "${PIP_CACHE_DIR:-}" ] || export PIP_NO_CACHE_DIR=1
    local pip=("$venv/bin/python" -m pip install --quiet --no-compile --no-deps --root-user-action=ignore)
    "${pip[@]}" --only-binary=:all: --require-hashes --requirement "$prefix/.ci/requirements/build.txt"
    device_pins >"$prefix/.pins.txt"
    "${pip[@]}" --only-binary=:all: --require-hashes --requirement "$prefix/.pins.txt"
    "${pip[@]}" --no-build-isolation --no-index --editable "$prefix"
    "$venv/bin/python" "$prefix/hardware/pi/slim.py" "$venv"/lib/python3*/site-packages
    rm -f "$venv"/bin/{pip,wheel}*
    # The services can't write here, so what Python makes of modules is kept now: by importing what they need, a tenth
    # of what lies there, and by compiling what does not import without an engine's data or a display.
    local scratch
    scratch=$(mktemp --directory)
    env KIVY_HOME="$scratch" KIVY_NO_ARGS=1 KIVY_NO_CONSOLELOG=1 KIVY_NO_FILELOG=1 "$venv/bin/python" -c "import $modules" ||
        fail "a package does not load (the line above names it); report this with your system's name: $(uname -m) $debian"
    rm -rf "$scratch"
    "$venv/bin/python" -m compileall -q "$prefix"/{synth,ui,firmware_host} \
        "$venv"/lib/python3*/site-packages/kivy/{core,graphics,input,lang,modules,uix}
}

install_system() {
    say "Services, udev rules, real-time limits, settings"
    local unit
    for unit in "${units[@]}"; do install -D --mode=0644 "$here/systemd/$unit" "/etc/systemd/system/$unit"; done
    install -D --mode=0644 "$here/99-tetrad.rules" /etc/udev/rules.d/99-tetrad.rules
    install -D --mode=0644 "$here/limits.d/tetrad.conf" /etc/security/limits.d/tetrad.conf
    install -D --mode=0644 "$here/tmpfiles.d/tetrad.conf" /etc/tmpfiles.d/tetrad.conf
    if [ -f "$settings" ]; then
        cmp --silent "$here/tetrad.conf" "$settings" || install --mode=0644 "$here/tetrad.conf" "$settings.new"
    else
        install -D --mode=0644 "$here/tetrad.conf" "$settings"
    fi
    install -D --mode=0755 "$here/tetrad-box" /usr/local/bin/tetrad-box
    ln --symbolic --force "$prefix/.venv/bin/tetrad" /usr/local/bin/tetrad
    systemctl --quiet enable "${units[@]}"
    if runs_systemd; then
        systemctl daemon-reload
        udevadm control --reload
        udevadm trigger --subsystem-match=tty --subsystem-match=usb --subsystem-match=misc
        systemd-tmpfiles --create /etc/tmpfiles.d/tetrad.conf
    fi
}

# What numba makes of the engine's inner loops, once, for the user who runs them: the first start is as fast as all.
compile_kernels() {
    say "Compiling the engine's kernels (a minute or more)"
    local scratch
    scratch=$(mktemp --directory)
    chown tetrad: "$scratch"
    if ! TETRAD_SOCKET="$scratch/engine.sock" tetrad-box play --headless --audio null --osc -1 --no-refine --seconds 1 \
        >"$scratch/said" 2>&1; then
        cat "$scratch/said"
        fail "the engine does not start; a second of it was expected; report the lines above"
    fi
    rm -rf "$scratch"
    # Those of the version before stay in a folder of their own, 12 MB each time.
    local of_this_version
    of_this_version=$(XDG_CACHE_HOME="$data/cache" runuser --user tetrad -- "$prefix/.venv/bin/python" -c \
        'import numba, synth.jit; print(numba.config.CACHE_DIR)')
    find "$data/cache/tetrad" -mindepth 1 -maxdepth 1 -name 'kernels-*' -not -path "$of_this_version" \
        -exec rm -rf {} +
}

stop_services() {
    if runs_systemd && systemctl --quiet is-active tetrad.target tetrad-engine.service; then
        say "Stopping what plays"
        systemctl stop tetrad.target
    fi
}

uninstall() {
    say "Taking Tetrad away"
    if runs_systemd; then systemctl stop "${units[@]}" 2>/dev/null || true; fi
    systemctl --quiet disable "${units[@]}" 2>/dev/null || true
    local unit
    for unit in "${units[@]}"; do rm -f "/etc/systemd/system/$unit"; done
    rm -f /etc/udev/rules.d/99-tetrad.rules /etc/security/limits.d/tetrad.conf /etc/tmpfiles.d/tetrad.conf \
        /usr/local/bin/tetrad-box /usr/local/bin/tetrad
    rm -rf "$prefix" "$data/cache"
    if runs_systemd; then systemctl daemon-reload; fi
    if [ "$1" = purge ]; then
        rm -rf "$data" /etc/tetrad
        if getent passwd tetrad >/dev/null; then userdel tetrad; fi
        say "Done: nothing of Tetrad is left but the Debian packages, which others may use"
    else
        say "Done: the player's data are kept in $data, settings in /etc/tetrad; --uninstall --purge removes them too"
    fi
}

action=install purge=keep compile=yes
for word in "$@"; do
    case $word in
        --uninstall) action=uninstall ;;
        --purge) purge=purge ;;
        --no-compile) compile=no ;;
        -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "install.sh: error: $word is unknown; --uninstall, --purge or --no-compile was expected" >&2; exit 2 ;;
    esac
done
check_machine "$@"
if [ "$action" = uninstall ]; then
    uninstall "$purge"
    exit 0
fi
check_room
began_s=$SECONDS
install_packages
stop_services
make_user
copy_program
install_python
install_system
[ "$compile" = no ] || compile_kernels
say "Installed: $(du -sm "$prefix" | cut -f1) MB in $prefix, $(du -sm "$data/cache" | cut -f1) MB of compiled kernels," \
    "in $((SECONDS - began_s)) s"
if runs_systemd; then
    systemctl start tetrad.target
    say "It plays. What it says: journalctl -u tetrad-engine; commands: sudo tetrad-box --help; settings: $settings"
else
    say "It plays after the next start of the machine. Commands: sudo tetrad-box --help; settings: $settings"
fi
