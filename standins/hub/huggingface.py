"""The Hugging Face Hub's protocol for reading: repositories, revisions, trees, files.

Written against what huggingface_hub 2.4 asks for; https://huggingface.co/docs/hub/api describes the public part.
"""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from standins.hub.access import Account, may_read, may_see, token_of
from standins.hub.content import Blob, Kind, Repository, Revision, folders, is_large
from standins.hub.sending import send
from standins.hub.state import hub_of

Json = dict[str, Any]
KIND = "{kind:models|datasets|spaces}"
ID = "{id:[^/]+/[^/]+}"

routes = web.RouteTableDef()


class Refusal(Exception):
    """An answer that is an error, in the form by which clients know which one it is."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> web.Response:
        headers = {"X-Error-Message": self.message}
        if self.code:
            headers["X-Error-Code"] = self.code
        return web.json_response({"error": self.message}, status=self.status, headers=headers)


def account_of(request: web.Request) -> Account | None:
    """Who asks; None without a token.  An unknown token is refused."""
    account = hub_of(request).accounts.of(request)
    if account is None and token_of(request):
        raise Refusal(401, "", "Invalid credentials in Authorization header")
    return account


def repository_of(request: web.Request) -> Repository:
    """The repository an address names, if the one who asks may know of it.

    The hub tells nobody without a token whether a repository does not exist or is private: both are 401.
    """
    kind = Kind(request.match_info.get("kind", Kind.MODEL).strip("/") or Kind.MODEL)
    account = account_of(request)
    repository = hub_of(request).find(kind, request.match_info["id"])
    if repository is None or not may_see(account, repository):
        raise (
            Refusal(404, "RepoNotFound", "Repository not found")
            if account
            else Refusal(401, "RepoNotFound", "Invalid username or password.")
        )
    return repository


def revision_of(request: web.Request, repository: Repository) -> Revision:
    name = request.match_info.get("revision", "main")
    revision = repository.find(name)
    if revision is None:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {name}")
    return revision


def require_access(request: web.Request, repository: Repository) -> None:
    """Refuse the files of a gated repository to those who were not let in."""
    account = account_of(request)
    if may_read(account, repository):
        return
    restricted = f"Access to {repository.kind.removesuffix('s')} {repository.id} is restricted"
    if account is None:
        raise Refusal(
            401,
            "GatedRepo",
            f"{restricted}. You must have access to it and be authenticated to access it. Please log in.",
        )
    raise Refusal(
        403,
        "GatedRepo",
        f"{restricted} and you are not in the authorized list. "
        f"Visit https://huggingface.co/{repository.id} to ask for access.",
    )


@routes.get("/api/whoami-v2")
async def who_am_i(request: web.Request) -> web.Response:
    account = hub_of(request).accounts.of(request)
    if account is None:
        raise Refusal(401, "", "Invalid username or password.")
    token = {"displayName": "standin", "role": "write", "createdAt": "2024-04-18T00:00:00.000Z"}
    return web.json_response(
        {
            "type": "user",
            "id": hashlib.sha1(account.name.encode(), usedforsecurity=False).hexdigest()[:24],
            "name": account.name,
            "fullname": account.name,
            "isPro": False,
            "orgs": [],
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


@routes.get(f"/api/{KIND}/{ID}")
@routes.get(f"/api/{KIND}/{ID}/revision/{{revision}}")
async def information(request: web.Request) -> web.Response:
    """What a repository is; public even when its files are gated."""
    repository = repository_of(request)
    return web.json_response(described(repository, revision_of(request, repository)))


def described(repository: Repository, revision: Revision) -> Json:
    """The JSON that describes a repository at a revision."""
    model: Json = {"modelId": repository.id} if repository.kind is Kind.MODEL else {}
    if repository.task:
        model |= {"pipeline_tag": repository.task, "library_name": "transformers"}
    return model | {
        "_id": revision.commit[:24],
        "id": repository.id,
        "author": repository.id.split("/")[0],
        "sha": revision.commit,
        "lastModified": moment(revision),
        "createdAt": moment(revision),
        "private": repository.private,
        "gated": "manual" if repository.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "siblings": [
            {"rfilename": path, "size": blob.size, "blobId": blob.git_oid} for path, blob in revision.files.items()
        ],
    }


def moment(revision: Revision) -> str:
    return revision.date.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@routes.get(f"/api/{KIND}/{ID}/auth-check")
async def check_access(request: web.Request) -> web.Response:
    require_access(request, repository_of(request))
    return web.json_response({})


@routes.get(f"/api/{KIND}/{ID}/tree/{{revision}}")
@routes.get(f"/api/{KIND}/{ID}/tree/{{revision}}/{{folder:.+}}")
async def tree(request: web.Request) -> web.Response:
    """The entries of a folder, or of all folders below it."""
    repository = repository_of(request)
    revision = revision_of(request, repository)
    folder = request.match_info.get("folder", "").strip("/")
    files = revision.below(folder)
    if folder and not files:
        raise Refusal(404, "EntryNotFound", f"{folder} does not exist on {request.match_info['revision']}")
    entries = [folder_entry(path) for path in folders(files)] + [file_entry(path, blob) for path, blob in files.items()]
    depth = folder.count("/") + 1 if folder else 0
    entries = [entry for entry in entries if entry["path"].count("/") >= depth]
    if request.query.get("recursive", "").lower() not in ("1", "true"):
        entries = [entry for entry in entries if entry["path"].count("/") == depth]
    if request.query.get("expand", "").lower() in ("1", "true"):
        last = {"id": revision.commit, "title": revision.title, "date": moment(revision)}
        entries = [entry | {"lastCommit": last} for entry in entries]
    return web.json_response(entries)


def file_entry(path: str, blob: Blob) -> Json:
    entry: Json = {"type": "file", "oid": blob.git_oid, "size": blob.size, "path": path}
    if is_large(path):
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": 134}
    return entry


def folder_entry(path: str) -> Json:
    oid = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


@routes.post(f"/api/{KIND}/{ID}/paths-info/{{revision}}")
async def paths_info(request: web.Request) -> web.Response:
    """Those of the paths asked for that exist."""
    revision = revision_of(request, repository_of(request))
    if request.content_type == "application/json":
        asked = (await request.json()).get("paths", [])
    else:
        asked = [str(path) for path in (await request.post()).getall("paths", [])]
    wanted = [path.strip("/") for path in ([asked] if isinstance(asked, str) else asked)]
    entries = [file_entry(path, revision.files[path]) for path in wanted if path in revision.files]
    entries += [folder_entry(path) for path in wanted if path not in revision.files and revision.below(path)]
    return web.json_response(entries)


@routes.get(f"/api/{KIND}/{ID}/refs")
async def refs(request: web.Request) -> web.Response:
    """Branches and tags."""
    repository = repository_of(request)

    def listed(names: dict[str, Revision], folder: str) -> list[Json]:
        return [
            {"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": revision.commit}
            for name, revision in names.items()
        ]

    return web.json_response(
        {"branches": listed(repository.branches, "heads"), "tags": listed(repository.tags, "tags"), "converts": []}
    )


@routes.get(f"/api/{KIND}/{ID}/commits/{{revision}}")
async def commits(request: web.Request) -> web.Response:
    """The history, newest first; one line for all branches."""
    repository = repository_of(request)
    revision_of(request, repository)
    history = [
        {"id": one.commit, "title": one.title, "message": "", "date": moment(one), "authors": []}
        for one in reversed(repository.commits.values())
    ]
    return web.json_response(history)


@routes.get(f"/{{kind:datasets/|spaces/|}}{ID}/resolve/{{revision}}/{{path:.+}}")
async def resolve(request: web.Request) -> web.StreamResponse:
    """A file.  HEAD tells size, hash and commit by headers before anything is downloaded."""
    repository = repository_of(request)
    require_access(request, repository)
    revision = revision_of(request, repository)
    blob = revision.files.get(request.match_info["path"])
    headers = {"X-Repo-Commit": revision.commit}
    if blob is None:
        absent = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return web.Response(status=404, text="Entry not found", headers=headers | absent)
    return await send(request, blob, headers | hashes(request.match_info["path"], blob))


@routes.get("/datasets/{name:[^/]+}/resolve/{revision}/{path:.+}")
async def old_name(request: web.Request) -> web.Response:
    """A data set by its name of before namespaces: the hub redirects (https://github.com/huggingface/datasets/issues/8612)."""
    name = request.match_info["name"]
    full = next(
        (id for kind, id in hub_of(request).repositories if kind is Kind.DATASET and id.endswith(f"/{name}")), None
    )
    if full is None:
        raise Refusal(401, "RepoNotFound", "Invalid username or password.")
    address = f"/datasets/{full}/resolve/{request.match_info['revision']}/{request.match_info['path']}"
    return web.Response(status=307, headers={"Location": address})


def hashes(path: str, blob: Blob) -> dict[str, str]:
    """The headers that name the content: by sha256 for large files, by git's sha1 for the others."""
    if not is_large(path):
        return {"ETag": f'"{blob.git_oid}"'}
    return {"ETag": f'"{blob.sha256}"', "X-Linked-ETag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
