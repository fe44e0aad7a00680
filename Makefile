# Every target sets up what it needs (.venv/, Python packages at pinned versions, Debian packages), once.
# Arguments for a command: make play ARGS="--seconds 20"

ARGS ?=
# Where `make data` puts the notes (2.2 GB), and where training reads them.
DATA ?= data/notes
PINS := .ci/requirements
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help play test check data train evaluate export instruments bench models pins clean

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

play: .venv/stamp-runtime  ## Play the instrument (renders a demo where there is no sound card)
	@$(BIN)/tetrad play $(ARGS)

test: .venv/stamp-dev  ## Format, lint, types and all tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest $(ARGS)

check: .venv/stamp-dev  ## The same with the fast tests only
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest -q -m "not slow" $(ARGS)

data: .venv/stamp-models soundfonts  ## Render the training notes
	$(BIN)/tetrad model data $(DATA) $(ARGS)

train: .venv/stamp-models  ## Train the networks, going on from the shipped checkpoint
	$(BIN)/tetrad model train $(DATA) $(ARGS)

evaluate: .venv/stamp-models  ## Measure the networks
	$(BIN)/tetrad model evaluate $(DATA) $(ARGS)

export: .venv/stamp-models  ## Write the networks as ONNX into models/pretrained/
	$(BIN)/tetrad model export $(ARGS)

instruments: .venv/stamp-models  ## Make the shipped instruments of models/shipped.toml from the notes
	$(BIN)/python -m models.ship $(DATA) $(ARGS)

bench: .venv/stamp-runtime  ## Measure the engine on this machine
	$(BIN)/tetrad bench engine $(ARGS)

models: .venv/stamp-models  ## Only set up for training (torch)

pins:  ## Renew the pinned requirement files after a change of dependencies
	UPGRADE=$(UPGRADE) $(PINS)/compile.sh

clean:  ## Remove .venv/ and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache *.egg-info build dist

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
