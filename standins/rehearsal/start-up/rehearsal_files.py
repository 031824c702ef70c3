"""Files of the true size that take no room: large numbers, zeros all of them, are holes where they are written."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import IO, Any

LARGE = 1 << 20  # bytes of a tensor, as settings.hpp has it: what is not larger has real numbers
LARGE_FILE = 64 << 20
TYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def holes() -> Path:
    """The folder with weights of the true shapes, by the id of the model."""
    return Path(os.environ["REHEARSED_MODELS"])


def save_safetensors_with_holes(module: ModuleType) -> None:
    """safetensors.torch.save_file copies all that it writes to the host first: 16 GB for a merged 8B."""

    def save_file(
        tensors: Mapping[str, Any], filename: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
    ) -> None:
        header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
        end = 0
        for name, tensor in tensors.items():
            size = tensor.numel() * tensor.element_size()
            kind = TYPES[str(tensor.dtype).removeprefix("torch.")]
            header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [end, end + size]}
            end += size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with Path(filename).open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for tensor in tensors.values():
                write_numbers(file, tensor)
            file.truncate(8 + len(text) + end)

    module.save_file = save_file  # type: ignore[attr-defined]


def write_numbers(file: IO[bytes], tensor: Any) -> None:
    size = tensor.numel() * tensor.element_size()
    if size > LARGE:
        file.seek(size, os.SEEK_CUR)
    elif size:
        torch = sys.modules["torch"]
        file.write(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


def save_holes(module: ModuleType) -> None:
    """torch.save and torch.load of large things: torch itself can leave the place of the numbers empty."""
    save, load = module.save, module.load

    def save_small(obj: object, f: Any, *arguments: Any, **named: Any) -> None:
        if not isinstance(f, (str, os.PathLike)):  # no holes in a stream, as of torch.distributed.checkpoint
            save(collapsed(obj), f, *arguments, **named)
            return
        with module.skip_data() if bytes_in(obj) > LARGE_FILE else nullcontext():
            save(obj, f, *arguments, **named)

    def load_small(f: Any, *arguments: Any, **named: Any) -> Any:
        large = isinstance(f, (str, os.PathLike)) and Path(f).stat().st_size > LARGE_FILE
        with module.skip_data() if large else nullcontext():
            return load(f, *arguments, **named)

    module.save, module.load = save_small, load_small  # type: ignore[attr-defined]


def collapsed(value: Any) -> Any:
    """The same with one zero in place of every large tensor's numbers, stretched over its shape."""
    if isinstance(value, dict):
        return {name: collapsed(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(collapsed, value))
    if hasattr(value, "element_size") and value.numel() * value.element_size() > LARGE:
        return sys.modules["torch"].zeros(1, dtype=value.dtype).expand(value.shape)
    return value


def bytes_in(value: Any) -> int:
    """Of all tensors in nested dicts and lists."""
    if isinstance(value, Mapping):
        return sum(bytes_in(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return sum(bytes_in(one) for one in value)
    return int(value.numel() * value.element_size()) if hasattr(value, "element_size") else 0


def map_shared(module: ModuleType) -> None:
    """Files as large as 32 GB are mapped to be read; as private copies, the system refuses what exceeds its memory."""
    from_file = module.UntypedStorage.from_file

    def mapped(filename: str, shared: bool = False, *size: int, **named: int) -> Any:
        return from_file(filename, shared or Path(filename).stat().st_size > LARGE_FILE, *size, **named)

    module.UntypedStorage.from_file = staticmethod(mapped)


def plan_beside_the_cards(module: ModuleType) -> None:
    """Ranks that save or load a sharded checkpoint tell each other what they hold, in more bytes than are copied on
    cards that only count: over the host, then."""
    for name in {"save", "load"} & vars(module).keys():
        setattr(module, name, over_the_host(getattr(module, name)))


def over_the_host(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        distributed = sys.modules["torch"].distributed
        if distributed.is_initialized() and named.get("process_group") is None:
            named["process_group"] = distributed.new_group(backend="gloo")
        return function(*arguments, **named)

    return call


def download_holes(module: ModuleType) -> None:
    """huggingface_hub would fetch 16 GB of zeros, and write them."""
    http_get = module.http_get

    def get(url: str, temp_file: IO[bytes], **named: Any) -> None:
        found = re.search(r"/([^/]+/[^/]+)/resolve/[^/]+/([^/?]+)$", url)
        file = holes() / found[1] / found[2] if found else None
        if file is not None and file.is_file():
            copy_beginning(file, temp_file)
        else:
            http_get(url, temp_file, **named)

    module.http_get = get  # type: ignore[attr-defined]


def copy_beginning(file: Path, to: IO[bytes]) -> None:
    """What is written in the file, and the rest as a hole."""
    to.truncate(0)
    with file.open("rb") as stream:
        to.write(stream.read(LARGE))
    to.flush()
    to.truncate(file.stat().st_size)


def copy_with_holes() -> None:
    """shutil copies files of holes as they are: huggingface_hub does so from its cache into a folder."""
    copyfile = shutil.copyfile

    def copy(src: str | os.PathLike[str], dst: str | os.PathLike[str], **named: Any) -> Any:
        source = Path(src)
        if not source.is_file() or source.stat().st_size <= LARGE_FILE or Path(dst).is_dir():
            return copyfile(src, dst, **named)
        with source.open("rb") as stream, Path(dst).open("wb") as to:
            for start, end in written(stream.fileno(), source.stat().st_size):
                stream.seek(start)
                to.seek(start)
                to.write(stream.read(end - start))
            to.truncate(source.stat().st_size)
        return dst

    shutil.copyfile = copy  # type: ignore[assignment]


def written(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Beginning and end of each part of an open file that is not a hole."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError:  # only a hole is left
            return
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end


def find_holes(module: ModuleType) -> None:
    """modelscope looks first whether a file is there already."""
    (owner,) = (one for one in vars(module).values() if isinstance(one, type) and hasattr(one, "_cache_hit"))
    is_there = owner._cache_hit

    def cache_hit(target: Path, sha256: str | None, size: int | None = None, **named: Any) -> bool:
        for file in holes().glob(f"*/*/{target.name}"):
            if size == file.stat().st_size > LARGE:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as stream:
                    copy_beginning(file, stream)
                return True
        return bool(is_there(target, sha256, size, **named))

    owner._cache_hit = staticmethod(cache_hit)
