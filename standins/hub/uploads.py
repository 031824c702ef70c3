"""The Hugging Face Hub's protocol for writing: create a repository, upload large files, commit.

What is uploaded lives in the scratch folder of the run, and is gone afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from standins.hub.access import Account
from standins.hub.content import Blob, Kind, Repository, Revision, is_large
from standins.hub.huggingface import ID, KIND, Refusal, account_of, repository_of
from standins.hub.state import Hub, hub_of

LFS = "application/vnd.git-lfs+json"
MODELS_OR = "{kind:datasets/|spaces/|}"  # models have no prefix in these addresses

routes = web.RouteTableDef()


def writer_of(request: web.Request) -> Account:
    """Who writes; nobody does without a token."""
    account = account_of(request)
    if account is None:
        raise Refusal(401, "", "Invalid username or password.")
    return account


def writable(request: web.Request) -> Repository:
    """The repository of the address, if it belongs to the one who asks."""
    account, repository = writer_of(request), repository_of(request)
    if repository.owner != account.name:
        raise Refusal(403, "", f"Forbidden: you don't have write access to {repository.id}.")
    return repository


@routes.post("/api/repos/create")
async def create(request: web.Request) -> web.Response:
    account, hub, asked = writer_of(request), hub_of(request), await request.json()
    owner = asked.get("organization") or account.name
    if owner != account.name:
        raise Refusal(403, "", f"You don't have the rights to create a repository under the namespace {owner!r}")
    kind, name = Kind(f"{asked.get('type') or 'model'}s"), f"{owner}/{asked['name']}"
    address = f"{request.url.origin()}/{'' if kind is Kind.MODEL else f'{kind}/'}{name}"
    if hub.find(kind, name):
        return web.json_response({"error": "You already created this repo", "url": address}, status=409)
    private = bool(asked.get("private")) or asked.get("visibility") == "private"
    repository = Repository(kind, name, private=private, owner=owner)
    repository.commit(Revision.of({}))
    hub.repositories[kind, name] = repository
    return web.json_response({"url": address, "name": name, "id": name})


@routes.delete("/api/repos/delete")
async def delete(request: web.Request) -> web.Response:
    account, hub, asked = writer_of(request), hub_of(request), await request.json()
    kind, name = (
        Kind(f"{asked.get('type') or 'model'}s"),
        f"{asked.get('organization') or account.name}/{asked['name']}",
    )
    repository = hub.find(kind, name)
    if repository is None or repository.owner != account.name:
        raise Refusal(404, "RepoNotFound", "Repository not found")
    del hub.repositories[kind, name]
    return web.json_response({})


@routes.post("/api/validate-yaml")
async def check_card(request: web.Request) -> web.Response:
    """A model card's front matter; any is accepted."""
    return web.json_response({"errors": [], "warnings": []})


@routes.post(f"/api/{KIND}/{ID}/preupload/{{revision}}")
async def how_to_upload(request: web.Request) -> web.Response:
    """Which files to upload first, and which to put into the commit."""
    writable(request)
    asked = (await request.json())["files"]
    return web.json_response({"files": [upload_mode(file["path"], file["size"]) for file in asked]})


def upload_mode(path: str, size: int) -> dict[str, Any]:
    large = is_large(path) or size > 10 << 20
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None}


@routes.post(f"/{MODELS_OR}{{id:[^/]+/[^/]+?}}.git/info/lfs/objects/batch")
async def batch(request: web.Request) -> web.Response:
    """Where each large file is to be put; nowhere if it is there already."""
    writable(request)
    hub, asked = hub_of(request), json.loads(await request.text())
    objects = [upload_action(request, hub, wanted["oid"], wanted["size"]) for wanted in asked["objects"]]
    return web.json_response({"transfer": "basic", "objects": objects}, content_type=LFS)


def upload_action(request: web.Request, hub: Hub, oid: str, size: int) -> dict[str, Any]:
    known: dict[str, Any] = {"oid": oid, "size": size}
    if (hub.uploads / oid).exists():
        return known
    address = f"{request.url.origin()}/uploads/{oid}"
    return known | {"actions": {"upload": {"href": address}, "verify": {"href": f"{address}/verify"}}}


@routes.put("/uploads/{oid:[0-9a-f]{64}}")
async def put(request: web.Request) -> web.Response:
    """One large file, kept only if its content has the sha256 it was announced with."""
    folder = hub_of(request).uploads
    folder.mkdir(parents=True, exist_ok=True)
    oid = request.match_info["oid"]
    unfinished = folder / f"{oid}.part"
    digest = hashlib.sha256()
    with unfinished.open("wb") as out:
        async for piece in request.content.iter_chunked(1 << 20):
            digest.update(piece)
            out.write(piece)
    if digest.hexdigest() != oid:
        unfinished.unlink()
        raise Refusal(400, "", "The content has another sha256 than the address")
    unfinished.rename(folder / oid)
    return web.Response()


@routes.post("/uploads/{oid:[0-9a-f]{64}}/verify")
async def verify(request: web.Request) -> web.Response:
    path, asked = hub_of(request).uploads / request.match_info["oid"], await request.json()
    if not path.exists() or path.stat().st_size != asked["size"]:
        raise Refusal(404, "", "The object was not uploaded")
    return web.json_response({})


@routes.post(f"/api/{KIND}/{ID}/commit/{{revision}}")
async def commit(request: web.Request) -> web.Response:
    """Apply a list of operations, one JSON object a line, to a branch."""
    repository, hub = writable(request), hub_of(request)
    branch = request.match_info["revision"]
    before = repository.branches.get(branch)
    if before is None:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {branch}")
    operations = [json.loads(line) for line in (await request.text()).splitlines() if line.strip()]
    files, title = dict(before.files), "Upload"
    for operation in operations:
        if operation["key"] == "header":
            title = operation["value"]["summary"]
        else:
            apply(operation["key"], operation["value"], files, hub)
    revision = Revision.of(files, title, parent=before.commit)
    repository.commit(revision, branch)
    address = f"{request.url.origin()}/{repository.id}/commit/{revision.commit}"
    return web.json_response({"success": True, "commitOid": revision.commit, "commitUrl": address, "hookOutput": ""})


def apply(key: str, value: dict[str, Any], files: dict[str, Blob], hub: Hub) -> None:
    """Carry out one operation of a commit.  Raises Refusal for one that can not be."""
    path = value["path"]
    if key == "file":
        files[path] = stored(base64.b64decode(value["content"]), hub.uploads)
    elif key == "lfsFile":
        files[path] = uploaded(value["oid"], hub)
    elif key in ("deletedFile", "deletedFolder"):
        for gone in list(below(path, files)):
            del files[gone]
    else:
        raise Refusal(400, "", f"Unknown operation {key}")


def below(path: str, files: dict[str, Blob]) -> Iterator[str]:
    return (name for name in files if name == path or name.startswith(f"{path.rstrip('/')}/"))


def stored(content: bytes, folder: Path) -> Blob:
    """Keep content that came with a commit."""
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256(content).hexdigest()
    (folder / sha256).write_bytes(content)
    return blob_of(folder / sha256, sha256)


def uploaded(oid: str, hub: Hub) -> Blob:
    """A large file that was put before, or that some repository has already."""
    if (hub.uploads / oid).exists():
        return blob_of(hub.uploads / oid, oid)
    for repository in hub.repositories.values():
        for revision in repository.commits.values():
            for blob in revision.files.values():
                if blob.sha256 == oid:
                    return blob
    raise Refusal(400, "", f"LFS object {oid} was not uploaded")


def blob_of(path: Path, sha256: str) -> Blob:
    content = path.read_bytes()
    oid = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return Blob(path, len(content), sha256, oid)


@routes.post(f"/api/{KIND}/{ID}/tag/{{revision}}")
async def tag(request: web.Request) -> web.Response:
    repository = writable(request)
    revision = repository.find(request.match_info["revision"])
    if revision is None:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {request.match_info['revision']}")
    repository.tags[(await request.json())["tag"]] = revision
    return web.json_response({})


@routes.post(f"/api/{KIND}/{ID}/branch/{{branch}}")
async def branch(request: web.Request) -> web.Response:
    repository = writable(request)
    asked = await request.json() if request.can_read_body else {}
    start = repository.find(asked.get("startingPoint", "main"))
    if start is None:
        raise Refusal(404, "RevisionNotFound", "Invalid starting point")
    repository.branches[request.match_info["branch"]] = start
    return web.json_response({})
