"""从 Meta 获取 Llama 3 · Llama 3 from Meta"""

# %% url
import os
from getpass import getpass

url = (os.environ.get("LLAMA_PRESIGNED_URL") or getpass("URL from Meta's mail (stays invisible): ")).strip()

# %% check
import base64
import json
import time
from urllib.parse import parse_qs, urlsplit

query = parse_qs(urlsplit(url).query)
if "*" not in url or not {"Policy", "Signature", "Key-Pair-Id"} <= query.keys():
    raise SystemExit("This is not the whole URL of the mail: it has a * in it, then Policy, Signature, Key-Pair-Id.")
try:
    policy = base64.b64decode(query["Policy"][0].translate(str.maketrans("-_~", "+=/")), validate=True)
    expiry = json.loads(policy)["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"]
    hours = (expiry - time.time()) / 3600
except (ValueError, LookupError, TypeError):
    raise SystemExit("The URL's Policy is damaged: copy the URL again from Meta's mail.") from None
if hours < 0:
    raise SystemExit("The URL has expired: ask for a new one at https://www.llama.com/llama-downloads")
print(f"The URL is good for {hours:.0f} more hours.")

# %% download
from pathlib import Path

import requests
from tqdm import tqdm

folder = Path("Meta-Llama-3-8B-Instruct/original")
folder.mkdir(parents=True, exist_ok=True)


def download(name, part):
    """Fetch a file into `part`, from where an earlier attempt ended.  No message shows the URL."""
    have = part.stat().st_size if part.exists() else 0
    source = url.replace("*", f"8b_instruction_tuned/{name}")
    try:
        with requests.get(source, headers={"Range": f"bytes={have}-"}, stream=True, timeout=60) as answer:
            if answer.status_code == 416:  # nothing is left to fetch
                return
            if answer.status_code not in (200, 206):
                raise SystemExit(f"{name}: Meta answers {answer.status_code}. 403: the URL has expired or is used up.")
            have = have if answer.status_code == 206 else 0
            if have:
                print(f"{name}: going on after {have:,} bytes")
            size = have + int(answer.headers["Content-Length"])
            progress = tqdm(desc=name, initial=have, total=size, unit="B", unit_scale=True)
            with progress, part.open("ab" if have else "wb") as file:
                for piece in answer.iter_content(1 << 20):
                    progress.update(file.write(piece))
    except requests.RequestException as error:
        raise SystemExit(f"{name}: {type(error).__name__}. Run this again: it goes on from here.") from None
    except OSError as error:
        raise SystemExit(f"{name}: {error.strerror}. Make room and run this again: it goes on from here.") from None


# %% verify
import hashlib

checklist = folder / "checklist.chk"
download(checklist.name, checklist)
for line in checklist.read_text().splitlines():
    expected, path = line.split()[0], folder / Path(line.split()[1]).name
    if path.exists():
        print(f"{path.name}: is here and was checked")
        continue
    part = path.with_name(f"{path.name}.part")
    download(path.name, part)
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != expected:
        part.unlink()
        raise SystemExit(f"{path.name}: damaged, md5 {found} instead of {expected}. Removed; run this again.")
    part.rename(path)
    print(f"{path.name}: md5 {found}, as Meta's list says")
