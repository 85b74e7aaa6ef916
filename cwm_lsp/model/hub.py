"""Models on the Hugging Face hub: where a downloaded one is, and fetching one, with its licence shown first.

Whatever goes wrong on the way is one sentence with the step to take. Nothing is fetched unless it was asked
for in so many words. Leaves out loading.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import BackendError

TOKEN_PAGE = "https://huggingface.co/settings/tokens"  # noqa: S105  (a page, not a token)

_WANTED = ("*.json", "*.safetensors", "*.gguf", "*.txt", "LICENSE*", "*.md")


def resolve(source: Path | str) -> Path:
    """The folder of a model on this machine. Raises BackendError if it isn't here: nothing is downloaded, a
    model of this size is never a surprise."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if not is_hub_name(source):
        raise BackendError(f"There is no model folder {source}.")
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(str(source), local_files_only=True))
    except Exception as error:
        raise BackendError(
            f"The model {source} is not on this machine; `cwm-lsp models fetch {source}` "
            f"(or `hf download {source}`) fetches it."
        ) from error


def is_hub_name(source: Path | str) -> bool:
    """True for `owner/name`."""
    name = str(source)
    return isinstance(source, str) and name.count("/") == 1 and not name.startswith((".", "/", "~"))


def fetch(name: str, *, tell: Callable[[str], None] | None = None) -> Path:
    """Downloads a model, or what is missing of it; the library shows progress, resumes, and checks the size
    and hash of each file. Raises BackendError with what to do."""
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub import errors as hub
    except ImportError:
        raise BackendError("Fetching models needs huggingface_hub: pip install huggingface_hub.") from None
    page = f"https://huggingface.co/{name}"
    kinds: Any = hub
    try:
        about = HfApi().model_info(name, files_metadata=True)
        needed = sum(each.size or 0 for each in about.siblings or () if _is_wanted(each.rfilename))
        _check_disk(name, needed)
        if tell is not None:
            tell(f"fetching {name}: {needed / 1e9:.1f} GB")
        return Path(snapshot_download(name, allow_patterns=list(_WANTED)))
    except BackendError:
        raise
    except kinds.GatedRepoError as error:
        raise BackendError(
            f"{name} is gated: open {page}, accept its licence with your account (approval can take an "
            f"hour), "
            f"make a token at {TOKEN_PAGE}, run `hf auth login`, and fetch it again."
        ) from error
    except kinds.RepositoryNotFoundError as error:
        raise BackendError(
            f"There is no model {name} on the hub, or it is private: check the name, and `hf auth login`."
        ) from error
    except kinds.LocalTokenNotFoundError as error:
        raise BackendError(
            f"The hub wants a token for {name}: make one at {TOKEN_PAGE} and run `hf auth login`."
        ) from error
    except kinds.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        if status in (401, 403):
            raise BackendError(
                f"The hub does not let you fetch {name} ({status}): accept its licence at {page}, and "
                f"`hf auth login` with a token of {TOKEN_PAGE}."
            ) from error
        raise BackendError(f"The hub failed ({status}); try again later, what is there is kept.") from error
    except OSError as error:
        raise BackendError(
            f"{name} could not be fetched ({_short(error)}); check the network and the disk, and run it "
            f"again: "
            "it goes on where it stopped."
        ) from error
    except Exception as error:  # the HTTP library has its own exceptions, and changes
        raise BackendError(
            f"{name} could not be fetched ({_short(error)}); run it again: it goes on where it stopped."
        ) from error


def _is_wanted(file: str) -> bool:
    return any(Path(file).match(pattern) for pattern in _WANTED)


def _check_disk(name: str, needed: int) -> None:
    from huggingface_hub.constants import HF_HUB_CACHE

    cache = Path(HF_HUB_CACHE)
    place = next((each for each in (cache, *cache.parents) if each.is_dir()), None)
    if place is None:
        return
    free = shutil.disk_usage(place).free
    if needed > free:
        raise BackendError(
            f"{name} takes {needed / 1e9:.1f} GB, and {place} has {free / 1e9:.1f} GB free; "
            "free some, or set HF_HOME to another disk."
        )


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")[:160]
