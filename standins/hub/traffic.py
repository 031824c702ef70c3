"""A record of what was asked and how many bytes went out, for tests of resuming and caching."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

SENT = web.RequestKey("sent", int)  # bytes of the file that went out so far
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    query: str
    status: int
    sent: int
    """Bytes of the file that went out: fewer than promised when the connection was cut."""
    range: str
    """The Range header, empty without one."""


@dataclass
class Traffic:
    """All exchanges in the order they ended."""

    exchanges: list[Exchange] = field(default_factory=list)

    def of(self, part: str, method: str = "GET") -> list[Exchange]:
        """The exchanges whose path contains a text."""
        return [exchange for exchange in self.exchanges if exchange.method == method and part in exchange.path]

    def sent(self, part: str) -> int:
        """Bytes sent of files whose path contains a text."""
        return sum(exchange.sent for exchange in self.of(part))

    def note(self, request: web.Request, status: int) -> None:
        asked = request.headers.get("Range", "")
        self.exchanges.append(
            Exchange(request.method, request.path, request.query_string, status, request.get(SENT, 0), asked)
        )
