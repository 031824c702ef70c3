"""``sitemap.xml`` and ``robots.txt``, written at the root of the site when it is known where that is published."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from sphinx.application import Sphinx

from ..addresses import site_url
from ..translation.languages import LANGUAGES

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"


def sitemap(pages: list[str], site: str) -> ET.Element:
    """Every page in every language, each with its translations."""
    ET.register_namespace("", SITEMAP)
    ET.register_namespace("xhtml", XHTML)
    urls = ET.Element(f"{{{SITEMAP}}}urlset")
    for page in pages:
        places = {language.tag: f"{site}{language.folder}{page}.html" for language in LANGUAGES.values()}
        for place in places.values():
            url = ET.SubElement(urls, f"{{{SITEMAP}}}url")
            ET.SubElement(url, f"{{{SITEMAP}}}loc").text = place
            for tag, href in places.items():
                ET.SubElement(url, f"{{{XHTML}}}link", rel="alternate", hreflang=tag, href=href)
    return urls


def write(app: Sphinx, exception: Exception | None) -> None:
    site = site_url()
    if exception or app.builder.format != "html" or LANGUAGES[app.config.language].folder or not site:
        return
    folder = Path(app.outdir)
    tree = ET.ElementTree(sitemap(sorted(app.env.found_docs), site))
    tree.write(folder / "sitemap.xml", encoding="utf-8", xml_declaration=True)
    (folder / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {site}sitemap.xml\n", encoding="utf-8")


def connect(app: Sphinx) -> None:
    app.connect("build-finished", write)
