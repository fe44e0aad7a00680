# Every target sets up what it needs (.venv/, Python packages at pinned versions, Debian packages), once.
# Arguments for a command: make play ARGS="--seconds 20"

ARGS ?=
# Where `make data` puts the notes (2.2 GB), and where training reads them.
DATA ?= data/notes
PINS := .ci/requirements
BIN := .venv/bin

# The tests start hundreds of Python programs: each would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help play test test-long check data train train-small train-gpu classifier evaluate export instruments import-set soak device-soak kills fuzz audit peers bench screenshots firmware release arm64 models pins clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

play: .venv/stamp-runtime  ## Play the instrument (renders a demo where there is no sound card)
	@$(BIN)/tetrad play $(ARGS)

test: .venv/stamp-dev  ## Format, lint, types and all tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	@$(MAKE) --no-print-directory --jobs=2 types kernels
	$(BIN)/pytest -n 2 --dist loadfile -m "not long" $(ARGS)

test-long: .venv/stamp-dev  ## The tests that `make test` leaves out for their length
	$(BIN)/pytest -n 2 --dist loadfile -m long $(ARGS)

check: .venv/stamp-dev  ## The same with the fast tests only
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow and not long" $(ARGS)

data: .venv/stamp-models soundfonts  ## Render the training notes
	$(BIN)/tetrad model data $(DATA) $(ARGS)

train: .venv/stamp-models  ## Train the networks, going on from the shipped checkpoint
	$(BIN)/tetrad model train $(DATA) $(ARGS)

# One large GPU, data preparation included, inside 25 minutes: JOBS processes render and analyse, then 12 minutes train.
JOBS ?= 16
train-gpu: .venv/stamp-models soundfonts  ## Data and the large network on a GPU, within 25 minutes
	$(BIN)/tetrad model data $(DATA) --jobs $(JOBS)
	$(BIN)/tetrad model train $(DATA) --config large --minutes 12 --jobs $(JOBS) --device cuda --batch-size 512 \
		--wavenet-every 1 --wavenet-batch 32 --learning-rate 1e-3 --out data/large.safetensors $(ARGS)

# The whole road in some minutes: notes, network, export, four instruments made with it, and a demo played with them.
SMALL := data/small
SMALL_ENV := TETRAD_MODEL=$(SMALL)/model TETRAD_HOME=$(SMALL)/home
SMALL_FROM := fluid_000_acoustic_grand_piano fluid_040_violin fluid_073_flute fluid_019_church_organ
train-small: .venv/stamp-models soundfonts  ## Train a small network in minutes, and hear it
	$(BIN)/tetrad model data $(SMALL)/notes --limit 900
	$(BIN)/tetrad model train $(SMALL)/notes --config tiny --minutes 3 --out $(SMALL)/checkpoint.safetensors
	$(BIN)/tetrad model export $(SMALL)/checkpoint.safetensors --out $(SMALL)/model
	for name in $(SMALL_FROM); do \
		$(SMALL_ENV) $(BIN)/tetrad instruments add $(SMALL)/notes --instrument $$name --name $$(echo $$name | tr _ -) \
			--replace || exit 1; done
	$(BIN)/python -m synth.demo $(SMALL)/four_rooms.mid
	$(SMALL_ENV) $(BIN)/tetrad render $(SMALL)/four_rooms.mid $(SMALL)/demo.wav --corners $(subst _,-,$(SMALL_FROM))

classifier: .venv/stamp-models  ## Train the classifier that `make evaluate` asks
	$(BIN)/tetrad model train-classifier $(DATA) $(ARGS)

evaluate: .venv/stamp-models  ## Measure the networks
	$(BIN)/tetrad model evaluate $(DATA) $(ARGS)

export: .venv/stamp-models  ## Write the networks as ONNX into models/pretrained/
	$(BIN)/tetrad model export $(ARGS)

instruments: .venv/stamp-models  ## Make the shipped instruments of models/shipped.toml from the notes
	$(BIN)/python -m models.ship $(DATA) $(ARGS)

import-set: .venv/stamp-models  ## Write the recordings that imports are measured on to data/import
	@.ci/apt.sh fluid-soundfont-gm "notes to import (120 MB to download, MIT licence)" \
		sonic-pi-samples "drums and loops to import (22 MB to download, mostly CC0)" \
		espeak-ng "words to import"
	$(BIN)/python -m benchmarks.import_set data/import

MINUTES := 120
device-soak: .venv/stamp-dev kernels  ## Two hours of engine, screen and a simulated board at full speed: what crashed, stuck, got lost, grew
	$(BIN)/python -m benchmarks.device_soak --minutes $(MINUTES) --log soak.jsonl $(ARGS)

SOAK := 3600
soak: .venv/stamp-dev  ## An hour of random playing through a real stream, compared sample for sample
	$(BIN)/python -m benchmarks.soak --seconds $(SOAK) $(ARGS)

# Both go on where a run before them stopped.
KILLS := 1000
kills: .venv/stamp-dev  ## Kill a busy engine a thousand times, and read its files (hours)
	$(BIN)/python -m benchmarks.kills --kills $(KILLS) --folder data/kills $(ARGS)

FILES := 100000
fuzz: .venv/stamp-dev  ## Spoilt files of every format through every reader (an hour)
	@mkdir -p data
	$(BIN)/python -m benchmarks.format_fuzz --files $(FILES) --workers 2 --state data/fuzz.jsonl $(ARGS)

audit: .venv/stamp-dev  ## Look for what is wrong with the pinned packages
	$(BIN)/python -m benchmarks.audit $(ARGS)

peers: .venv/stamp-models  ## Tetrad beside other synthesizers, on this machine
	$(BIN)/python -m benchmarks.peers $(ARGS)

bench: .venv/stamp-runtime  ## Measure the engine on this machine
	$(BIN)/tetrad bench engine $(ARGS)

screenshots: .venv/stamp-dev  ## Pictures of every page of the screen, in every theme, into ui/pictures/
	$(BIN)/python -m ui.screenshots $(ARGS)

firmware:  ## Compile the encoder board's firmware, and say how large it is
	@.ci/apt.sh gcc-avr "the compiler of the firmware" avr-libc "its library" binutils-avr "its linker"
	$(MAKE) -C hardware/firmware all size

release:  ## The archive that a device is installed from, into dist/: the same bytes from the same commit everywhere
	@.ci/release.sh $(ARGS)

DEBIAN := bookworm
ROOT := data/arm64-$(DEBIAN)
arm64:  ## Install on an emulated arm64 Debian, from nothing, and render there (needs root; half an hour; DEBIAN=trixie)
	@.ci/apt.sh debootstrap "makes a Debian in a folder" qemu-user-static "runs its arm64 programs"
	hardware/pi/emulate.sh $(DEBIAN) $(ROOT) $(ARGS)

models: .venv/stamp-models  ## Only set up for training (torch)

pins:  ## Renew the pinned requirement files after a change of dependencies
	UPGRADE=$(UPGRADE) $(PINS)/compile.sh

clean:  ## Remove .venv/ and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache *.egg-info build dist

# Both of pytest's processes would compile the engine's kernels, a minute each; so it is done beside mypy.
.PHONY: types kernels
types:
	$(BIN)/mypy
kernels:
	@home=$$(mktemp -d); TETRAD_HOME=$$home $(BIN)/python -m synth --audio null --osc -1 --seconds 1 >$$home/said 2>&1 \
		|| { cat $$home/said; exit 1; }; rm -r $$home

.PHONY: soundfonts
soundfonts:
	@.ci/apt.sh fluid-soundfont-gm "notes to learn from (120 MB to download, MIT licence)" \
		musescore-general-soundfont "more notes to learn from (76 MB to download, MIT licence)"

.venv/stamp-runtime: pyproject.toml $(PINS)/build.txt $(PINS)/runtime.txt
	@.ci/setup.sh runtime

.venv/stamp-models: pyproject.toml $(PINS)/build.txt $(PINS)/models.txt $(PINS)/torch.txt $(PINS)/no-deps.txt
	@.ci/setup.sh models

.venv/stamp-dev: pyproject.toml $(PINS)/build.txt $(PINS)/dev.txt $(PINS)/torch.txt $(PINS)/no-deps.txt
	@.ci/setup.sh dev
