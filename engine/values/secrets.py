"""Finds what looks like a secret, before it is published; what was found is never repeated.

``python -m engine.values.secrets FOLDER ...`` searches built sites.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.slack import SlackDetector

DETECTORS = (
    AWSKeyDetector(),
    BasicAuthDetector(),
    GitHubTokenDetector(),
    JwtTokenDetector(),
    OpenAIDetector(),
    PrivateKeyDetector(),
    PypiTokenDetector(),
    SlackDetector(),
)
OURS = {  # what the hubs of this guide hand out, and what gives a machine away
    "Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    "ModelScope token": re.compile(r"\bms-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "signed URL": re.compile(r"(?:[?&]|&amp;)(?:Policy|(?:X-Amz-)?Signature)=[\w~%-]{12,}"),
    "bearer header": re.compile(r"\bBearer [\w.~+/-]{16,}"),
    "path below a home folder": re.compile(r"(?<![\w/])(?:/root|/home/[\w.-]+)/\w"),
}
SEARCHED = {".html", ".js", ".json", ".ipynb", ".py", ".sh", ".txt", ".xml", ".rst", ".log", ".svg"}


@dataclass(frozen=True)
class Finding:
    """Something that must not be published."""

    kind: str
    line: int
    """Line of the text it is on, counted from 1."""

    def __str__(self) -> str:
        return f"looks like a secret ({self.kind}) on line {self.line}"


def find(text: str) -> list[Finding]:
    """All findings of a text, by line."""
    found = [(detector.secret_type, str(value)) for detector in DETECTORS for value in detector.analyze_string(text)]
    findings = [Finding(kind, _line(text, text.find(value))) for kind, value in found]
    findings += [
        Finding(kind, _line(text, match.start())) for kind, rule in OURS.items() for match in rule.finditer(text)
    ]
    return sorted(findings, key=lambda finding: finding.line)


def search(folder: Path) -> Iterator[tuple[Path, Finding]]:
    """Findings in all text files below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in SEARCHED and path.is_file():
            for finding in find(path.read_text(encoding="utf-8", errors="replace")):
                yield path, finding


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, max(position, 0)) + 1


def main() -> int:
    """1 when anything was found."""
    findings = [each for folder in sys.argv[1:] for each in search(Path(folder))]
    for path, finding in findings:
        print(f"{path}:{finding.line}: {finding}; the site is not published", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
