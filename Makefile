# make html    build the site        make test   run every check        make help   all targets

VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$p && exit; done; echo python3)
PY := "$(VENV)/bin/python"
NEEDS := site# of the lists in requirements/, what an environment of your own has to have
STANDINS := $(PY) -m standins
SPHINX := $(PY) -m sphinx -W --keep-going -q -c .
BUILD ?= _build
SITE := $(BUILD)/html
ARCHIVE := llama-on-ascend
FORMS ?=
PORT ?= 8000

.PHONY: html pages epub epubs pdf pdfs test checks executed shard lint bench lock set serve translations explain accept rehearse install new-chapter zip linkcheck clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

html: install ## execute the examples and build the site; FORMS="epub pdf zip" offers these for download there
	@$(STANDINS) $(MAKE) --no-print-directory pages
	@echo "The site is $(SITE)/index.html ('make serve' shows it)."

pages: $(patsubst %,%s,$(filter epub pdf,$(FORMS))) # inside the stand-ins; replaces the site only when all was built without a fault
	$(SPHINX) -D forms='$(FORMS)' -d $(BUILD)/doctrees/zh docs $(BUILD)/zh/html
	$(SPHINX) -D forms='$(FORMS)' -d $(BUILD)/doctrees/en -D language=en docs $(BUILD)/en/html
	@$(PY) -m engine.values.secrets $(BUILD)/zh/html $(BUILD)/en/html
	@rm -rf $(SITE).new && cp -r $(BUILD)/zh/html $(SITE).new && cp -r $(BUILD)/en/html $(SITE).new/en
	@find $(SITE).new -type d -name fonts -prune -exec rm -r {} + # 20 MB of the theme's, which no page asks for
	@for form in $(filter epub pdf,$(FORMS)); do cp $(BUILD)/books/*.$$form $(SITE).new/; done
	@rm -rf $(SITE) && mv $(SITE).new $(SITE)
	@$(if $(filter zip,$(FORMS)),$(MAKE) --no-print-directory zip && cp $(BUILD)/$(ARCHIVE).zip $(SITE)/)

epub: install ## make a book for e-readers of the same runs, in both languages
	@$(STANDINS) $(MAKE) --no-print-directory epubs && ls $(BUILD)/books/*.epub

pdf: install ## make a book to print
	@$(STANDINS) $(MAKE) --no-print-directory pdfs && ls $(BUILD)/books/*.pdf

epubs: # inside the stand-ins
	$(SPHINX) -t book -b epub -d $(BUILD)/doctrees/zh-book docs $(BUILD)/zh/epub
	$(SPHINX) -t book -b epub -d $(BUILD)/doctrees/en-book -D language=en docs $(BUILD)/en/epub
	@mkdir -p $(BUILD)/books && cp $(BUILD)/*/epub/*.epub $(BUILD)/books/

pdfs: epubs
	@for book in $(BUILD)/books/*.epub; do $(PY) docs/_ext/guide/publishing/print_book.py $$book $${book%.epub}.pdf || exit; done

test lint bench: NEEDS := checks
test: install ## run every check: style, types, examples, hubs, virtual NPU, pages
	@$(STANDINS) $(MAKE) --no-print-directory checks

checks: # inside the stand-ins; the examples before the tests, so that both workers find their runs
	@$(MAKE) --no-print-directory --jobs 2 lint executed
	@$(PY) -m pytest --numprocesses 2

executed: # what fails is told once more by the test of its example
	@$(PY) -m engine run examples/*.py examples/*.sh || true

shard: install ## execute one part of the examples, on one of several machines: make shard SHARD=2/4; put their _build/runs together
	@$(STANDINS) $(PY) -m engine run --shard "$(SHARD)" examples/*.py examples/*.sh

lint: install ## style and types only
	@$(PY) -m ruff check --quiet && $(PY) -m ruff format --check --quiet
	@$(PY) -m mypy

bench: install ## measure beside sphinx-gallery and MyST-NB, a quarter of an hour; docs/benchmark.rst shows it
	@$(PY) -m benchmarks

serve: ## show the site at http://localhost:$(PORT)
	@test -e $(SITE)/index.html || { echo "There is no site yet: 'make html' first."; exit 1; }
	@$(PY) -m http.server --bind localhost --directory $(SITE) $(PORT)

set: VENV = _build/sets/$(SET)/venv
set: ## run the examples with another set of versions and record it: make set SET=cann-8.5; sets/ has them
	@$(PYTHON) -m sets install "$(SET)" "$(VENV)"
	@"$(VENV)/bin/python" -m standins "$(VENV)/bin/python" -m sets run "$(SET)" $(X)

explain: install ## say why an example will run again: make explain X=examples/tokenizer.py
	@$(STANDINS) $(PY) -m engine explain $(X)

accept: install ## record the numbers that examples print now: make accept X=examples/fine_tuning.py
	@$(STANDINS) $(PY) -m engine accept $(X)

rehearse: install ## what of a card a file takes at 8B: make rehearse X=examples/lora.py MODEL=meta-llama/Meta-Llama-3-8B-Instruct CARD=60.97 CARDS=1
	@$(STANDINS) --rehearse $(if $(CARD),--card $(CARD)) $(if $(CARDS),--cards $(CARDS)) $(if $(MODEL),--model $(MODEL)) $(X)

lock: ## pin anew what requirements/ and their requirements bring, with hashes, for every system; needs uv
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--excludes requirements/by-index.txt --no-emit-package torch --output-file requirements/everything.lock requirements/checks.txt

install: ## make the virtual environment (html and test do it by themselves)
	@$(PYTHON) bootstrap.py "$(VENV)" $(NEEDS)

translations: install ## bring docs/locale/en up to date with the Chinese pages; then translate what is empty or fuzzy
	@$(SPHINX) -b gettext -D exclude_patterns=_ext,locale,examples -d _build/doctrees/gettext docs _build/gettext
	@$(PY) -m babel.messages.frontend --quiet extract -F pyproject.toml -k say --no-location -o _build/gettext/guide.pot docs/_ext docs/_templates
	@$(PY) -m sphinx_intl update --no-obsolete --line-width 110 -p _build/gettext -d docs/locale -l en
	@$(PY) docs/_ext/guide/catalogues.py docs/locale/en/LC_MESSAGES/*.po

new-chapter: ## begin a chapter that builds at once: make new-chapter NAME=quantization AFTER=lora
	@$(PYTHON) docs/_ext/guide/new_chapter.py "$(NAME)" "$(AFTER)"
	@$(MAKE) --no-print-directory translations

zip: ## pack the built site for reading offline
	@test -e $(SITE)/index.html || { echo "There is no site yet: 'make html' first."; exit 1; }
	@$(PY) -c "import shutil; print(shutil.make_archive('$(BUILD)/$(ARCHIVE)', 'zip', '$(SITE)'))"

linkcheck: install ## ask whether the links to other sites still lead somewhere; needs the network
	@$(STANDINS) $(SPHINX) -b linkcheck -d $(BUILD)/doctrees/linkcheck docs $(BUILD)/linkcheck

clean: ## remove what was built; assets and the virtual environment stay
	@rm -rf _build
