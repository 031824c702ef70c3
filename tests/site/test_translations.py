"""Nothing is untranslated or outdated: the catalogues hold every string of the pages and of the interface."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from built_site import ROOT

LOCALE = ROOT / "docs/locale/en/LC_MESSAGES"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Catalog]:
    """What there is to translate now, by catalogue."""
    folder = tmp_path_factory.mktemp("gettext")
    sphinx = ["sphinx", "-q", "-c", ".", "-b", "gettext", "-d", str(folder / "doctrees"), "docs", str(folder)]
    words = ["babel.messages.frontend", "--quiet", "extract", "-F", "pyproject.toml", "-k", "say"]
    words += ["-o", str(folder / "guide.pot"), "docs/_ext", "docs/_templates"]
    for module in (sphinx, words):
        subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=True)
    return {path.stem: catalogue(path) for path in sorted(folder.glob("*.pot"))}


def catalogue(path: Path) -> Catalog:
    """A template or a translation; empty when there is no file."""
    return read_po(path.read_text(encoding="utf-8").splitlines(), locale="en") if path.exists() else Catalog()


def missing(name: str, template: Catalog) -> list[str]:
    """Strings of a catalogue that have no translation, or one that belonged to an older text."""
    found = catalogue(LOCALE / f"{name}.po")
    return [
        f"{name}.po: {message.id}"
        for message in template
        if message.id and (message.id not in found or found[message.id].fuzzy or not found[message.id].string)
    ]


def test_there_is_something_to_translate(templates: dict[str, Catalog]) -> None:
    assert {"index", "guide"} <= templates.keys()
    assert all(len(template) for template in templates.values())


def test_no_string_is_untranslated_or_outdated(templates: dict[str, Catalog]) -> None:
    untranslated = [line for name, template in templates.items() for line in missing(name, template)]
    assert not untranslated, "\n".join(["run 'make translations', then translate:", *untranslated])


def test_translations_have_the_placeholders_of_their_strings() -> None:
    guide = catalogue(LOCALE / "guide.po")
    for message in guide:
        assert not list(message.check(guide)), message.id


def test_no_catalogue_belongs_to_a_page_that_is_gone(templates: dict[str, Catalog]) -> None:
    assert {path.stem for path in Path(LOCALE).glob("*.po")} <= templates.keys()


@pytest.mark.parametrize("path", sorted(LOCALE.glob("*.po")), ids=lambda path: path.name)
def test_a_catalogue_has_no_placeholder_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"FIRST AUTHOR|EMAIL@ADDRESS|FULL NAME|LL@li|YEAR-MO|ORGANIZATION|PROJECT", text)
    assert not re.search(r"^#: (?!docs/)", text, re.MULTILINE), "run 'make translations'"
    assert "#~" not in text, "a text that is on no page any more: run 'make translations'"
