#!/usr/bin/env bash
# A root file system that nothing writes to, so that the plug may be pulled: the system lies under an overlay in memory,
# and only /var/lib/tetrad, a partition of its own, keeps what is written.
#   sudo hardware/pi/read-only.sh DEVICE        such as /dev/mmcblk0p3: an empty partition; 256 MB or more
#   sudo hardware/pi/read-only.sh --off         the root can be written to again, for updates
# Both take effect at the next start. README.md says how to make the partition, and what the engine needs of it.
set -euo pipefail

data=/var/lib/tetrad
label=tetrad-data
# Each write is followed by fsync and rename, so the journal need not hurry; no time stamps of readings.
options=defaults,noatime,nosuid,nodev,noexec,errors=remount-ro
fail() { printf 'read-only.sh: error: %s\n' "$*" >&2; exit 1; }

[ $# -eq 1 ] || { echo "read-only.sh: error: $# words were given; a device or --off was expected; see the top of this file" >&2; exit 2; }
case $1 in
    --off) ;;
    /dev/*) ;;
    *) echo "read-only.sh: error: $1 is unknown; a device such as /dev/mmcblk0p3, or --off, was expected" >&2; exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || fail "it runs as $(id -un); root was expected; run: sudo $0 $*"
command -v raspi-config >/dev/null || fail "there is no raspi-config; Raspberry Pi OS was expected; see README.md for others"

if [ "$1" = --off ]; then
    raspi-config nonint disable_overlayfs
    raspi-config nonint disable_bootro
    echo "The root can be written to from the next start on: sudo reboot. The data partition stays."
    exit 0
fi

device=$1
[ -b "$device" ] || fail "$device is no block device; an empty partition was expected; lsblk lists them"
! findmnt --source "$device" >/dev/null || fail "$device is mounted; an empty partition was expected; name another"
[ -d "$data" ] || fail "$data is not there; an installed Tetrad was expected; run install.sh first"
# A partition that holds something is not made anew, but for our own.
if [ "$(blkid --output value --match-tag LABEL "$device")" != "$label" ]; then
    [ -z "$(blkid --output value --match-tag TYPE "$device")" ] ||
        fail "$device holds a file system; an empty partition was expected; empty it: wipefs --all $device"
    mkfs.ext4 -q -L "$label" "$device"
fi
systemctl stop tetrad.target
if ! findmnt --mountpoint "$data" >/dev/null; then
    mount "$device" /mnt
    cp --archive --no-clobber "$data/." /mnt/
    chown tetrad:tetrad /mnt
    chmod 0700 /mnt
    umount /mnt
fi
grep -q "LABEL=$label" /etc/fstab || echo "LABEL=$label $data ext4 $options 0 2" >>/etc/fstab
install -d /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' >/etc/systemd/journald.conf.d/tetrad.conf
raspi-config nonint enable_overlayfs
raspi-config nonint enable_bootro
echo "From the next start on only $data keeps what is written: sudo reboot"
