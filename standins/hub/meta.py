"""Meta's way: a URL signed for one reader, with a wildcard for the file, good for a day and a few downloads.

The real one is served by CloudFront from ``https://download.llamameta.net``; ``download.sh`` of meta-llama/llama3 names
the folders and files.  Nothing is signed here: a policy says until when, and a count says how often.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import web

from standins.hub.content import Blob
from standins.hub.sending import send

HOST = "llamameta.net"
FOLDER = "8b_instruction_tuned"
LIFE = 24 * 3600  # seconds
DOWNLOADS = 5
SIGNATURE = "not-a-signature-this-url-is-a-stand-in"
KEY_PAIR = "NOT-A-KEY"

routes = web.RouteTableDef()


@dataclass
class SignedStore:
    """Files under a signed URL, and how often each was fetched from its beginning, by policy."""

    files: dict[str, Blob]
    """By path below the host: ``8b_instruction_tuned/params.json``, for one."""
    fetched: Counter[tuple[str, str]] = field(default_factory=Counter)


STORE = web.AppKey("signed store", SignedStore)


def signed_url(address: str, expires: float | None = None) -> str:
    """A URL such as Meta mails it, with ``*`` where the file goes, that expires at an epoch time (in a day)."""
    query = {
        "Policy": policy(int(expires if expires is not None else time.time() + LIFE)),
        "Signature": SIGNATURE,
        "Key-Pair-Id": KEY_PAIR,
        "Download-Request-ID": "0",
    }
    return f"{address}/{HOST}/*?{urlencode(query)}"


def policy(expires: int) -> str:
    """CloudFront's form of a policy: JSON in base64, with ``-_~`` for ``+=/``."""
    condition = {"DateLessThan": {"AWS:EpochTime": expires}}
    statement = {"Statement": [{"unique_hash": "stand-in", "Resource": f"https://{HOST}/*", "Condition": condition}]}
    encoded = base64.b64encode(json.dumps(statement).encode()).decode()
    return encoded.translate(str.maketrans("+=/", "-_~"))


def expiry(text: str) -> int:
    """The epoch time of a policy.  Raises ValueError when it is none."""
    try:
        statement = json.loads(base64.b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True))
        return int(statement["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"])
    except (binascii.Error, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no policy: {text!r}") from error


def denied(code: str, message: str) -> web.Response:
    """A refusal in CloudFront's form."""
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return web.Response(status=403, text=text, content_type="application/xml", headers={"Server": "CloudFront"})


@routes.get(f"/{HOST}/{{path:.+}}")
async def file(request: web.Request) -> web.StreamResponse:
    """A file, to who bears a policy that has not expired and was not used up.  Resuming does not count again."""
    store = request.app[STORE]
    if not {"Policy", "Signature", "Key-Pair-Id"} <= request.query.keys():
        return denied("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
    try:
        expires = expiry(request.query["Policy"])
    except ValueError:
        return denied("MalformedPolicy", "Malformed Policy")
    if request.query["Signature"] != SIGNATURE or request.query["Key-Pair-Id"] != KEY_PAIR:
        return denied("AccessDenied", "Access denied")
    if expires < time.time():
        return denied("AccessDenied", "Request has expired")
    path = request.match_info["path"]
    blob = store.files.get(path)
    if blob is None:
        return denied("AccessDenied", "Access Denied")  # the store does not tell what it has
    if request.method == "GET" and not request.http_range.start:
        store.fetched[request.query["Policy"], path] += 1
        if store.fetched[request.query["Policy"], path] > DOWNLOADS:
            return denied("AccessDenied", "Access Denied")
    return await send(request, blob, {"ETag": f'"{blob.git_oid}"'})
