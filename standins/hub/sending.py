"""Send a file in pieces, whole or the range that was asked for, and go wrong where a fault says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from standins.hub.content import Blob
from standins.hub.faults import Fault
from standins.hub.traffic import SENT

PIECE = 1 << 20  # bytes
FAULT = web.RequestKey("fault", Fault)
NOTHING_WRONG = Fault(path="")


async def send(request: web.Request, blob: Blob, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer with the blob: 200, 206 for a range, 416 for one outside the file; without a body to HEAD."""
    try:
        start, stop = asked_range(request, blob.size)
    except ValueError:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{blob.size}"})
    response = web.StreamResponse(status=200 if stop - start == blob.size else 206, headers=headers)
    response.content_type = "application/octet-stream"
    response.content_length = stop - start
    response.headers["Accept-Ranges"] = "bytes"
    if response.status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
    await response.prepare(request)
    if request.method != "HEAD":
        await send_body(request, response, blob.location, start, stop)
    return response


def asked_range(request: web.Request, size: int) -> tuple[int, int]:
    """First byte and the one after the last.  Raises ValueError for a range that holds nothing."""
    asked = request.http_range
    start, stop, _ = asked.indices(size)
    if request.headers.get("Range") and start >= stop:
        raise ValueError(f"no byte of {size} in {asked}")
    return start, stop


async def send_body(request: web.Request, response: web.StreamResponse, path: Path, start: int, stop: int) -> None:
    fault = request.get(FAULT, NOTHING_WRONG)
    stop_early = stop if fault.cut_after is None else min(stop, start + fault.cut_after)
    with path.open("rb") as stream:
        stream.seek(start)
        for place in range(start, stop_early, PIECE):
            piece = await asyncio.to_thread(stream.read, min(PIECE, stop_early - place))
            await asyncio.sleep(fault.pause)
            await response.write(flipped(piece, place, fault.flip_at))
            request[SENT] = request.get(SENT, 0) + len(piece)
    if stop_early < stop and request.transport is not None:
        request.transport.close()  # what was written still goes out; the end never comes
    else:
        await response.write_eof()


def flipped(piece: bytes, place: int, flip_at: int | None) -> bytes:
    """The piece, which begins at that place of the file, with one bit of one byte changed if that byte is in it."""
    if flip_at is None or not place <= flip_at < place + len(piece):
        return piece
    changed = bytearray(piece)
    changed[flip_at - place] ^= 1
    return bytes(changed)
