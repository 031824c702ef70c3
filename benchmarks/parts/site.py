"""A built site as a browser loads it: weight of its pages, how long a search takes, its size on disk."""

from __future__ import annotations

import functools
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, Response, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu"]
QUERIES = ("Trainer", "tokenizer", "Llama", "loss", "model")
KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def weight(page: Page, address: str) -> int:
    """Bytes of all that a page loads, not compressed, from an empty cache."""
    bodies: list[int] = []

    def count(response: Response) -> None:
        bodies.append(int(response.headers.get("content-length", 0)))

    page.on("response", count)
    page.goto(address, wait_until="networkidle")
    page.remove_listener("response", count)
    return sum(bodies)


def search_milliseconds(page: Page, address: str) -> float:
    """From the click to the list of results."""
    begin = time.perf_counter()
    page.goto(address)
    page.wait_for_function("document.querySelector('.search-summary')?.textContent")
    return 1000 * (time.perf_counter() - begin)


def measure(folder: Path) -> dict[str, list[float]]:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found = {"site/size": [round(size / MEBIBYTE, 1)]}
    if not CHROMIUM:
        return found
    articles = [path.name for path in sorted(folder.glob("*.html")) if 'http-equiv="refresh"' not in path.read_text()]
    with served(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        weights = []
        for name in articles:
            context = browser.new_context()  # with an empty cache
            weights.append(round(weight(context.new_page(), url + name) / KIBIBYTE))
            context.close()
        page = browser.new_page()
        search_milliseconds(page, url + "search.html?q=warm")
        found["site/search"] = [round(search_milliseconds(page, f"{url}search.html?q={word}")) for word in QUERIES]
        browser.close()
    return {**found, "site/page": [float(each) for each in weights], "site/heaviest": [float(max(weights))]}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
