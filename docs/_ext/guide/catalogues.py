"""Gives catalogues a head of their own in place of a template's; ``make translations`` calls it last.

No date stands there, and a place is one of the repository: a catalogue changes only where a text has changed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEAD = """\
# English translation of the guide, under the guide's licence.
msgid ""
msgstr ""
"Project-Id-Version: llama-on-ascend\\n"
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
PLACES = re.compile(r"^#: .*$", re.MULTILINE)
ABOVE = re.compile(r"\S*/(?=docs/)")


def tidied(catalogue: str) -> str:
    """The catalogue with our head and with places below the repository."""
    entries = catalogue.partition("\n\n")[2]
    return f"{HEAD}\n" + PLACES.sub(lambda places: ABOVE.sub("", places[0]), entries)


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(tidied(file.read_text(encoding="utf-8")), encoding="utf-8")
