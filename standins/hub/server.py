"""One hub on a free loopback port, in a thread of this process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from aiohttp import web

from standins.hub import huggingface, meta, modelscope, uploads
from standins.hub.huggingface import Refusal
from standins.hub.meta import STORE, SignedStore
from standins.hub.modelscope import Missing
from standins.hub.sending import FAULT
from standins.hub.state import HUB, Hub, hub_of
from standins.hub.traffic import Handler

START_LIMIT = 20.0  # seconds
LARGEST_UPLOAD = 2 << 30  # bytes


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """Serve the hub while the block runs; gives its address, without a slash at the end."""
    address: Future[str] = Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, hub, address), name="standin-hub", daemon=True)
    thread.start()
    try:
        yield address.result(timeout=START_LIMIT)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, hub: Hub, address: Future[str]) -> None:
    asyncio.set_event_loop(loop)
    runner = web.AppRunner(application(hub), access_log=None, shutdown_timeout=1.0)
    try:
        loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        loop.run_until_complete(site.start())
    except BaseException as error:
        address.set_exception(error)
        raise
    host, port = runner.addresses[0][:2]
    address.set_result(f"http://{host}:{port}")
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(runner.cleanup())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def application(hub: Hub) -> web.Application:
    """All protocols over one hub."""
    app = web.Application(middlewares=[observed, faulty, refusing], client_max_size=LARGEST_UPLOAD)
    app[HUB] = hub
    app[STORE] = SignedStore(hub.signed_files)
    for protocol in (modelscope, huggingface, uploads, meta):  # ModelScope first: /api/v1/models/... is more special
        app.add_routes(protocol.routes)
    return app


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note every exchange, also those that break off."""
    status = 0
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        hub_of(request).traffic.note(request, status)


@web.middleware
async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Go wrong as a test has asked for: at once with a status, or later while the body is sent."""
    fault = hub_of(request).faults.take(request)
    if fault is None:
        return await handler(request)
    if fault.status:
        return web.Response(status=fault.status, headers=fault.headers)
    request[FAULT] = fault
    return await handler(request)


@web.middleware
async def refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals become answers."""
    try:
        return await handler(request)
    except (Refusal, Missing) as refusal:
        return refusal.response()


logging.getLogger("aiohttp.server").setLevel(logging.ERROR)
