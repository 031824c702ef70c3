"""``.. where-to-send::`` says where records of other devices are handed in."""

from __future__ import annotations

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from ..addresses import repository_url

_ = get_translation("guide")


class WhereToSend(SphinxDirective):
    """A link where the repository's address is known."""

    def run(self) -> list[Node]:
        if not (repository := repository_url()):
            text = _("交到你取得这个仓库的地方：开一个 pull request，或者把文件夹打包，附在一个 issue 里。")
            return [nodes.paragraph("", text, translatable=False)]
        line = nodes.paragraph("", _("交到："), translatable=False)
        line += nodes.reference("", _("开一个 pull request"), refuri=f"{repository}/pulls")
        line += nodes.Text(_("，或者把文件夹打包，附在"))
        line += nodes.reference("", _("一个 issue 里"), refuri=f"{repository}/issues/new")
        return [line]


def connect(app: Sphinx) -> None:
    app.add_directive("where-to-send", WhereToSend)
