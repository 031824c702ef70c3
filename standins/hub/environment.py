"""The environment variables by which the real clients find the server, and stay away from what is the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from standins.hub.access import WITH_ACCESS
from standins.hub.meta import signed_url

# Of the user's these are out of the way: caches that follow HF_HOME, MODELSCOPE_CACHE or MODELSCOPE_HOME unless one of
# them is moved by itself, tokens, and switches that say there is no network.
NOT_THE_USERS = frozenset(
    {
        "HF_ASSETS_CACHE",
        "HF_DATASETS_CACHE",
        "HF_EVALUATE_CACHE",
        "HF_HUB_CACHE",
        "HF_METRICS_CACHE",
        "HF_MODULES_CACHE",
        "HF_STORED_TOKENS_PATH",
        "HF_TOKEN_PATH",
        "HF_XET_CACHE",
        "HUGGINGFACE_ASSETS_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "MODELSCOPE_CREDENTIALS_PATH",
        "HF_DATASETS_OFFLINE",
        "HF_EVALUATE_OFFLINE",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "MODELSCOPE_API_TOKEN",
    }
)
LOOPBACK = "127.0.0.1,localhost"


def environment(address: str, scratch: Path, user: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """All variables, and the names of those that are caches; ``user`` is the environment they will be added to."""
    caches = {
        "HF_HOME": scratch / "huggingface",
        "MODELSCOPE_CACHE": scratch / "modelscope",
        "MODELSCOPE_HOME": scratch / "modelscope-home",
    }
    variables = {
        "HF_ENDPOINT": address,
        "HF_TOKEN": WITH_ACCESS,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",  # it would ask the package registry in the middle of a command
        "HF_HUB_DISABLE_XET": "1",  # the server stores files whole
        "MODELSCOPE_ENDPOINT": address,
        "LLAMA_PRESIGNED_URL": signed_url(address),
    }
    variables |= {name: str(folder) for name, folder in caches.items()}
    variables |= {name: f"{user[name]},{LOOPBACK}" if user.get(name) else LOOPBACK for name in ("NO_PROXY", "no_proxy")}
    return variables, tuple(caches)
