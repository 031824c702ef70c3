"""What a hub does wrong on demand.  Nothing reaches it over the network: only a test that started the hub can ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Fault:
    """One thing that goes wrong with requests whose path contains a text, a number of times."""

    path: str
    query: str = ""
    """What the query string contains as well."""
    times: int = 1
    method: str = "GET"
    status: int = 0
    """Answer with this status instead of the content."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """With that status: ``{"Retry-After": "1"}``, for one."""
    cut_after: int | None = None
    """Close the connection after so many bytes of the body."""
    pause: float = 0.0
    """Seconds to wait before each piece of the body."""
    flip_at: int | None = None
    """Send the byte at this place of the file with one bit changed."""

    def meets(self, request: web.Request) -> bool:
        """Whether it is about this request."""
        return self.method == request.method and self.path in request.path and self.query in request.query_string


@dataclass
class Faults:
    """The faults still to come."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, request: web.Request) -> Fault | None:
        """The fault for this request, used up by one."""
        for fault in self.waiting:
            if fault.times > 0 and fault.meets(request):
                fault.times -= 1
                return fault
        return None
