"""Search in Chinese: text and query are both cut into pairs of neighbouring characters.

Sphinx cuts the text into words (with jieba, if it is installed) but leaves a Chinese query in one piece, so that most
are not found; a pair needs no dictionary and is cut alike on both sides.  Latin words in Chinese text are left as they
are: they are names here (``Trainer``, ``save_steps``), whose stem means nothing.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.search import SearchLanguage

HAN = re.compile(r"[\u3400-\u9fff]+")
LATIN = re.compile(r"[^\W\u3400-\u9fff]+")

SPLIT_QUERY = r"""
var splitQuery = (query) =>
  (query.match(/[\u3400-\u9fff]+|[\p{Letter}\p{Number}_]+/gu) ?? []).flatMap((word) => {
    const runs = word.match(/[\u3400-\u9fff]+|[^\u3400-\u9fff]+/gu);
    return runs.flatMap((run) =>
      /^[\u3400-\u9fff]{3,}$/u.test(run) ? [...run].slice(1).map((_, i) => run.slice(i, i + 2)) : [run],
    );
  });
"""


def pairs(text: str) -> list[str]:
    """``分词器`` as 分词, 词器; a single character by itself.

    >>> pairs("用 Trainer 微调模型")
    ['用', '微调', '调模', '模型']
    """
    return [run[i : i + 2] for run in HAN.findall(text) for i in range(max(len(run) - 1, 1))]


class ChineseByPairs(SearchLanguage):
    """What Sphinx asks of a language, for building the index and (``js_...``) for asking it."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = SPLIT_QUERY

    def split(self, input: str) -> list[str]:
        return pairs(input) + LATIN.findall(input)

    def stem(self, word: str) -> str:
        return word.lower()


def connect(app: Sphinx) -> None:
    app.add_search_language(ChineseByPairs)
