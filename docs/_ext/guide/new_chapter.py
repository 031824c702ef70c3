"""Begins a chapter, ``make new-chapter NAME=quantization AFTER=lora``: a page, an example and a place in the menu.

What it makes builds at once; CONTRIBUTING.md says what comes next.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = """\
{name}
{line}

读完这一页，你会：这里写读者最后得到什么。

.. cells:: {name}.py first
"""
EXAMPLE = '''\
"""{name}"""

# %% first
import torch

print(torch.arange(3) + 1)
'''
NAME = re.compile(r"[a-z][a-z0-9_]*")


def begin(name: str, after: str, root: Path) -> list[Path]:
    """Write the files of a chapter, behind another one in the menu; exits with a sentence where that can not be."""
    page, example, index = root / f"docs/{name}.rst", root / f"examples/{name}.py", root / "docs/index.rst"
    if not NAME.fullmatch(name):
        sys.exit(f"{name!r} is no name of a chapter: small letters, digits and _, as in NAME=instruction_tuning")
    if taken := [path for path in (page, example) if path.exists()]:
        sys.exit(f"{taken[0]} is there already, and is left alone")
    menu = index.read_text(encoding="utf-8")
    before = re.compile(rf"^(   ){re.escape(after)}\n", re.MULTILINE)
    if not after or not before.search(menu):
        chapters = ", ".join(re.findall(r"^   (\w+)$", menu, re.MULTILINE))
        sys.exit(f"say behind which chapter it comes, as in AFTER=lora; there are {chapters}")
    page.write_text(PAGE.format(name=name, line="=" * len(name)), encoding="utf-8")
    example.write_text(EXAMPLE.format(name=name), encoding="utf-8")
    index.write_text(before.sub(rf"\g<0>\g<1>{name}\n", menu, count=1), encoding="utf-8")
    return [page, example, index]


if __name__ == "__main__":
    for path in begin(sys.argv[1], sys.argv[2], Path()):
        print(path)
