"""Chinese has no spaces between words: a line that ends in Chinese is joined to the next without one."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

CHINESE = r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef“”‘’…—]"  # characters and full-width punctuation
BREAK = re.compile(rf"(?<={CHINESE})\n(?={CHINESE})")
VERBATIM = (nodes.literal_block, nodes.literal, nodes.raw)


class JoinLines(SphinxPostTransform):
    """Works on what is written only: catalogues of translations keep the lines of the source."""

    default_priority = 1  # before the cells come in

    def run(self, **kwargs: Any) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, VERBATIM) and BREAK.search(text):
                text.parent.replace(text, nodes.Text(BREAK.sub("", text)))


def connect(app: Sphinx) -> None:
    app.add_post_transform(JoinLines)
