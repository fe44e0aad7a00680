#!/usr/bin/env bash
# Makes the release archive: .ci/release.sh [COMMIT] [FOLDER]   (default: HEAD, into dist/)
#
# It holds what plays: the packages, the networks and instruments that ship, hardware, pinned requirements, set-up
# scripts and documents; not the tests, the benchmarks, nor what training goes on from (18 of 36 MB). The same commit
# gives the same bytes on every machine: names sorted, owners 0, times those of the commit, rights 644 or 755, gzip
# without a name or a time. Beside it FILE.sha256; in it RELEASE (version, commit, time) and SHA256SUMS of all files.
# A tag vX.Y.Z must be the version in synth/__init__.py and have its section in CHANGELOG.md; a commit without a tag
# gives X.Y.Z+gCOMMIT.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022
unset GZIP TAR_OPTIONS
root=$(cd "$(dirname "$0")/.." && pwd)
commit=${1:-HEAD}
folder=${2:-$root/dist}

fail() { echo "release: $1; $2" >&2; exit 1; }

id=$(git -C "$root" rev-parse --verify --quiet "$commit^{commit}") \
    || fail "there is no commit $commit in $root" "a commit or a tag of a git checkout was expected; name one"
time_s=$(git -C "$root" show --no-patch --format=%ct "$id")
version=$(git -C "$root" show "$id:synth/__init__.py" | sed -n 's/^__version__ = "\(.*\)"$/\1/p')
[ -n "$version" ] || fail "synth/__init__.py of $id has no __version__" "a line __version__ = \"X.Y.Z\" was expected"

tag=$(git -C "$root" tag --points-at "$id" --list 'v[0-9]*' | head -n 1)
name=tetrad-$version
if [ -n "$tag" ]; then
    [ "$tag" = "v$version" ] || fail "the tag $tag is on version $version" "v$version was expected; tag it anew"
    git -C "$root" show "$id:CHANGELOG.md" | grep "^## $version\b" >/dev/null \
        || fail "CHANGELOG.md has no section $version" "a heading ## $version with its date was expected; write it"
else
    name=$name+g${id:0:12}
fi
if [ "$commit" = HEAD ] && [ -n "$(git -C "$root" status --porcelain --untracked-files=no 2>/dev/null)" ]; then
    echo "release: what is changed and not committed is not in it" >&2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
git -C "$root" -c core.autocrlf=false -c core.attributesFile=/dev/null archive --format=tar "$id" | tar -x -C "$work/$name"
(
    cd "$work/$name"
    rm -rf tests benchmarks models/pretrained/checkpoint.safetensors
    printf 'version %s\ncommit %s\ntime %s\n' "$version" "$id" "$(date -u -d "@$time_s" +%Y-%m-%dT%H:%M:%SZ)" >RELEASE
    find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum >"$work/SHA256SUMS"
    mv "$work/SHA256SUMS" .
)
mkdir -p "$folder"
archive=$name.tar.gz
tar -c -C "$work" --format=ustar --sort=name --mtime="@$time_s" --owner=0 --group=0 --numeric-owner \
    --mode=u+rw,go=u,go-w "$name" | gzip -9 -n >"$work/$archive"
(cd "$work" && sha256sum "$archive" >"$archive.sha256")
mv "$work/$archive" "$work/$archive.sha256" "$folder/"
echo "$folder/$archive: $(stat -c %s "$folder/$archive") bytes, $(find "$work/$name" -type f | wc -l) files"
cat "$folder/$archive.sha256"
