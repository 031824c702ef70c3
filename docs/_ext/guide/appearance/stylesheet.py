"""Trims a stylesheet to what pages use, by the parser that WeasyPrint brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import tinycss2

Node = Any  # of tinycss2, which has no types


def trimmed(css: str, used: set[str]) -> str:
    """Without the rules whose every selector asks for a class that nothing has, and without fonts and comments.

    >>> trimmed(".a,.b{x:1}.b:hover{y:2}@media print{.b{z:3}.a .c{z:4}}p{w:5}@font-face{f:6}", {"a", "c"})
    '.a{x:1}@media print{.a .c{z:4}}p{w:5}'
    """
    return _kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), used)


def _kept(rules: Iterable[Node], used: set[str]) -> str:
    kept = []
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if text := _kept(inner, used):
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{text}}}")
        elif rule.type == "qualified-rule":
            selectors = (each for each in _split(rule.prelude) if _classes(each) <= used)
            if text := ",".join(tinycss2.serialize(each).strip() for each in selectors):
                kept.append(f"{text}{{{tinycss2.serialize(rule.content)}}}")
        elif not (rule.type == "at-rule" and rule.lower_at_keyword == "font-face"):
            kept.append(rule.serialize())
    return "".join(kept)


def _split(prelude: Iterable[Node]) -> Iterator[list[Node]]:
    """The selectors of a rule."""
    for comma, tokens in groupby(prelude, key=lambda token: token == ","):
        if not comma:
            yield list(tokens)


def _classes(tokens: Iterable[Node]) -> set[str]:
    """Names of all classes in a selector, those in brackets included."""
    found = set[str]()
    before = None
    for token in tokens:
        if before == "." and token.type == "ident":
            found.add(token.value)
        found |= _classes(getattr(token, "arguments", None) or getattr(token, "content", None) or ())
        before = token
    return found
