"""ModelScope's protocol for reading, as far as modelscope 1.40 (modelscope_hub 0.5) asks for it.

Every answer is an envelope with ``Code``, ``Success``, ``Message`` and ``Data``.  The branch is called master there.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from standins.hub.content import Blob, Kind, Repository, Revision, folders, is_large
from standins.hub.sending import send
from standins.hub.state import hub_of

KIND = "{kind:models|datasets}"
ID = "{id:[^/]+/[^/]+}"
BRANCHES = {"master": "main"}
NOT_FOUND = 10010205001  # ModelScope's own number for what does not exist

routes = web.RouteTableDef()


def envelope(data: object) -> web.Response:
    return web.json_response({"Code": 200, "Success": True, "Message": "success", "RequestId": "standin", "Data": data})


class Missing(Exception):
    """Something that was asked for does not exist."""

    def response(self) -> web.Response:
        body = {"Code": NOT_FOUND, "Success": False, "Message": str(self), "RequestId": "standin", "Data": None}
        return web.json_response(body, status=404)


def repository_of(request: web.Request) -> Repository:
    hub, name = hub_of(request), request.match_info["id"]
    repository = hub.find(Kind(request.match_info["kind"]), hub.modelscope_names.get(name, name))
    if repository is None or repository.private:
        raise Missing(f"{request.match_info['kind'].removesuffix('s')} {name} not exists")
    return repository


def revision_of(request: web.Request, repository: Repository) -> Revision:
    name = request.query.get("Revision") or "master"
    revision = repository.find(BRANCHES.get(name, name))
    if revision is None:
        raise Missing(f"revision {name} not exists")
    return revision


@routes.get(f"/api/v1/{KIND}/{ID}")
async def information(request: web.Request) -> web.Response:
    repository = repository_of(request)
    owner, name = request.match_info["id"].split("/")
    revision = repository.branches["main"]
    return envelope(
        {
            "Id": 1,
            "Path": owner,
            "Name": name,
            "Revision": "master",
            "Visibility": 5,
            "IsOnline": 1,
            "LastUpdatedTime": seconds(revision),
        }
    )


def seconds(revision: Revision) -> int:
    """When the revision was made, as ModelScope tells times."""
    return int(revision.date.timestamp())


@routes.get(f"/api/v1/{KIND}/{ID}/revisions")
async def revisions(request: web.Request) -> web.Response:
    repository = repository_of(request)
    names = {theirs: ours for ours, theirs in BRANCHES.items()}

    def listed(found: dict[str, Revision]) -> list[dict[str, Any]]:
        return [{"Revision": names.get(name, name), "CreatedAt": seconds(revision)} for name, revision in found.items()]

    return envelope({"RevisionMap": {"Branches": listed(repository.branches), "Tags": listed(repository.tags)}})


@routes.get(f"/api/v1/{KIND}/{ID}/repo/files")
@routes.get(f"/api/v1/{KIND}/{ID}/repo/tree")
async def files(request: web.Request) -> web.Response:
    """The entries below a folder, all of them or those directly in it."""
    revision = revision_of(request, repository_of(request))
    root = request.query.get("Root", "").strip("/")
    found = revision.below(root)
    depth = root.count("/") + 1 if root else 0
    entries = [folder_entry(path, revision) for path in folders(found)]
    entries += [file_entry(path, blob, revision) for path, blob in found.items()]
    entries = [entry for entry in entries if entry["Path"].count("/") >= depth]
    if request.query.get("Recursive", "").lower() != "true":
        entries = [entry for entry in entries if entry["Path"].count("/") == depth]
    page, size = int(request.query.get("PageNumber", 1)), int(request.query.get("PageSize", len(entries) or 1))
    shown = entries[(page - 1) * size : page * size]
    return envelope({"Files": shown, "TotalCount": len(entries), "LatestCommitter": None})


def file_entry(path: str, blob: Blob, revision: Revision) -> dict[str, Any]:
    return folder_entry(path, revision) | {
        "Type": "blob",
        "Size": blob.size,
        "Sha256": blob.sha256,
        "IsLFS": is_large(path),
        "Mode": "33188",
    }


def folder_entry(path: str, revision: Revision) -> dict[str, Any]:
    return {
        "Type": "tree",
        "Path": path,
        "Name": path.split("/")[-1],
        "Size": 0,
        "Revision": revision.commit,
        "CommittedDate": seconds(revision),
        "CommitMessage": revision.title,
        "InCheck": False,
    }


@routes.get(f"/api/v1/{KIND}/{ID}/repo")
async def file(request: web.Request) -> web.StreamResponse:
    revision = revision_of(request, repository_of(request))
    path = request.query.get("FilePath", "")
    blob = revision.files.get(path)
    if blob is None:
        raise Missing(f"file {path} not exists")
    return await send(request, blob, {"X-Linked-ETag": f'"{blob.sha256}"'})


@routes.get("/api/v1/repos/internalAccelerationInfo")
async def acceleration(request: web.Request) -> web.Response:
    """Whether the client runs inside the cloud that stores the files; it does not."""
    return envelope({})
