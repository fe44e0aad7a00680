#!/usr/bin/env bash
# Installs Debian packages that are missing: .ci/apt.sh PACKAGE "what it is for" [PACKAGE "what for"]...
# Says what it installs and why. Without apt-get or the right to use it, it says what to install by hand and
# exits 0: whoever needs a package says so again, in its own words, when it is really missing.
set -euo pipefail

missing=()
while [ $# -gt 0 ]; do
    if ! dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; then
        missing+=("$1")
        echo "Debian package $1 is missing: $2."
    fi
    shift 2
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && { [ -t 0 ] || sudo --non-interactive true 2>/dev/null; }; then
        as_root=(sudo)
    else
        as_root=(none)
    fi
fi
if ! command -v apt-get >/dev/null || [ "${as_root[*]-}" = none ]; then
    echo "Cannot install them here (no apt-get, or neither root nor sudo). Going on; if something is missing later, install:"
    echo "    ${missing[*]}"
    exit 0
fi

echo "Installing with apt-get: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 "$@" >>"$log" 2>&1; }
if ! { apt update && apt install --yes --no-install-recommends "${missing[@]}"; }; then
    tail -n 5 "$log"
    echo "apt-get failed (its last lines are above). Going on; if something is missing later, install: ${missing[*]}"
fi
