"""The site as ``make pages`` builds it, served on loopback, and a real browser to look at it.

Every test holds for every page there is: pages are found, not listed.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from built_site import CHROMIUM, DESKTOP, ROOT, SWITCHES, WIDER_LETTERS, Site, forms
from playwright.sync_api import Browser, Page, sync_playwright


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and 404.html for what is not there, as the hosts of static sites do."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        body = (Path(self.directory) / "html/404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Built once, cold, from the cached runs of the examples where they still hold; in a folder of its host."""
    build = tmp_path_factory.mktemp("site")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(build))) as server:
        url = f"http://127.0.0.1:{server.server_port}/html/"
        environment = {**os.environ, "SITE_URL": url, "REPOSITORY_URL": "https://repository.example/guide"}
        command = ["make", "--no-print-directory", "pages", f"FORMS={' '.join(forms())}"]
        command += [f"PY={sys.executable}", f"BUILD={build}"]
        made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if made.returncode:
            pytest.fail(f"the site can not be built:\n{made.stdout}{made.stderr}", pytrace=False)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(build / "html", url)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file: playwright keeps an event loop running, which others could not bear."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """``open_page("tokenizer.html", color_scheme="dark")``: a page in a context of its own."""
    contexts = []

    def opened(path: str = "", wider_letters: bool = False, **options: object) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "base_url": site.url, **options})  # type: ignore[arg-type]
        contexts.append(context)
        if wider_letters:
            context.add_init_script(WIDER_LETTERS)
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
