#!/usr/bin/env bash
# Writes the pinned requirement files with hashes, from pyproject.toml and the .in files beside this script:
#   runtime.txt  the instrument        models.txt  the same and training (without torch: torch.txt)
#   dev.txt      all of these and the tests' tools     build.txt, no-deps.txt  from their .in files
# Run it after a change of dependencies: `make pins`. Files hold names, versions and hashes, and no address.
# It keeps the versions that stand in the files as long as they fit; `make pins UPGRADE=--upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/../.."
pins=.ci/requirements
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet pip-tools==7.6.2

compile() {  # output, then pip-compile's arguments
    CUSTOM_COMPILE_COMMAND="make pins" "$tools/bin/pip-compile" --quiet ${UPGRADE:-} --generate-hashes \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --no-annotate \
        --strip-extras --output-file "$pins/$1" "${@:2}"
    echo "$pins/$1: $(grep -c '==' "$pins/$1") packages"
}

with_models=(--constraint "$pins/torch.txt" --unsafe-package torch --unsafe-package torchaudio)
compile build.txt --allow-unsafe "$pins/build.in"
compile runtime.txt pyproject.toml
compile models.txt "${with_models[@]}" --extra models --extra scale --constraint "$pins/runtime.txt" pyproject.toml
compile dev.txt "${with_models[@]}" --extra models --extra scale --extra dev --constraint "$pins/models.txt" pyproject.toml
compile no-deps.txt --unsafe-package pyaudio "$pins/no-deps.in"
