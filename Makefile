# make demo   sets everything up, fetches the embedded model, runs the demo claims, writes report.html
# make test   sets everything up and passes the tests
#             without a GPU: make test TORCH='torch --index-url https://download.pytorch.org/whl/cpu'

PYTHON ?= python3
VENV   ?= .venv
TORCH  ?= torch==2.13.0
BIN     = $(VENV)/bin
DEMO    = $(VENV)/.ready-demo
TEST    = $(VENV)/.ready-test

.PHONY: demo test check docs clean

demo: $(DEMO)
	$(BIN)/assay models pull
	$(BIN)/assay demo --html report.html

test: $(TEST)
	$(BIN)/assay models pull
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check
	$(BIN)/pytest -n 2 --dist loadfile

docs: $(TEST)
	$(BIN)/python docs/generate.py

# The package with its engine and sandbox; for the tests, their tools as well.
$(DEMO): EXTRAS = local
$(TEST): EXTRAS = local,train,studio,parquet,dev
$(DEMO) $(TEST): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "assay needs Python 3.11 or later")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# torch goes in first and by itself: as a mere dependency it may come with gigabytes for a GPU that is not there.
	test $@ = $(DEMO) || $(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]'
	@command -v bwrap >/dev/null || echo 'note: bubblewrap is not installed; its tests are skipped (apt-get install bubblewrap)'
	@command -v chromium >/dev/null || echo 'note: chromium is not installed; tests of pages are skipped (apt-get install chromium)'
	touch $@

clean:
	rm -rf $(VENV) report.html
