"""transformers models from a configuration on disk: nothing is downloaded, and no code but transformers' own runs."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from torch import nn

from convcost.errors import ConvcostError, MissingDependencyError, SourceError, UsageError
from convcost.graph import DType
from convcost.sources.request import InputSpec
from convcost.sources.torch.blame import first_line
from convcost.sources.torch.inputs import Arguments
from convcost.sources.torch.libraries import tolerating_torchvision

HEAD = "head"
"""The argument that is no key of a configuration: `?head=CausalLM` builds with `AutoModelForCausalLM`."""

_LONGEST_DEFAULT = 128
_POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")
# What would run a stranger's code, fetch kernels, read weights, or pack some that are not there.
_DROPPED = frozenset(
    {
        "auto_map",
        "trust_remote_code",  # transformers before 5.5 followed it in LightGlue's configuration (CVE-2026-5241)
        "attn_implementation",
        "_attn_implementation",
        "_attn_implementation_internal",  # and before 5.3 imported what it names (CVE-2026-4372)
        "checkpoint_path",
        "quantization_config",
    }
)
_TOKENS = "input_ids"


def import_transformers() -> ModuleType:
    """Raises `MissingDependencyError` where it is not installed."""
    if importlib.util.find_spec("transformers") is None:
        raise MissingDependencyError("'hf:' targets need transformers", hint="pip install transformers")
    if importlib.util.find_spec("torchvision") is not None:  # which transformers imports, and hides why it cannot
        tolerating_torchvision(lambda: importlib.import_module("torchvision"))
    return importlib.import_module("transformers")


def read_config(path: str) -> dict[str, object]:
    """The JSON object in a file, or in the `config.json` of a folder. Raises `SourceError` for anything else."""
    file = Path(path) / "config.json" if Path(path).is_dir() else Path(path)
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise SourceError(
            f"hf:{path}: {(error.strerror or str(error)).lower()}",
            hint="hf: takes a config.json on this machine, or the folder it is in; nothing is downloaded",
        ) from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"hf:{path}: not JSON: {error}", hint="name the model's config.json") from None
    if not isinstance(document, dict) or not isinstance(document.get("model_type"), str):
        raise SourceError(
            f"hf:{path}: has no 'model_type', by which transformers knows it", hint="name the model's config.json"
        )
    return {key: _harmless(value) for key, value in document.items() if key not in _DROPPED}


def _harmless(value: object) -> object:
    """The same without the keys that are not ours to follow, in the configurations inside it."""
    match value:
        case dict():
            return {key: _harmless(inner) for key, inner in value.items() if key not in _DROPPED}
        case list():
            return [_harmless(inner) for inner in value]
        case _:
            return value


def build(path: str, document: Mapping[str, object], arguments: Mapping[str, object]) -> nn.Module:
    """The model of a configuration, `arguments` in place of its keys. Raises `SourceError` for what cannot be built."""
    transformers = import_transformers()
    changes = {key: value for key, value in arguments.items() if key != HEAD}
    kinds = transformers.CONFIG_MAPPING
    kind = str(document["model_type"])
    if kind not in kinds:
        raise SourceError(
            f"hf:{path}: transformers {transformers.__version__} has no model type '{kind}'",
            hint=_offer(kind, list(kinds), "its code may be elsewhere, which convcost does not run"),
        )
    _check_keys(path, changes, kinds[kind], document)
    auto = _auto_class(transformers, path, arguments.get(HEAD))
    try:
        with _offline(path):
            config = kinds[kind].from_dict({**document, **changes})
            module = getattr(transformers, auto).from_config(config, trust_remote_code=False)
    except ConvcostError:
        raise
    except Exception as error:
        raise SourceError(
            f"hf:{path}: transformers cannot build it: {first_line(error)}", hint="check the configuration"
        ) from error
    assert isinstance(module, nn.Module)
    return module


@contextmanager
def _offline(path: str) -> Iterator[None]:
    """Inside, transformers opens no connection: a configuration may name another model, such as a backbone, of the hub.

    Raises `SourceError` for one that does, unless the hub's files are on this machine.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise SourceError(
            f"hf:{path}: names another model on the hub, and convcost downloads nothing",
            hint="write that model's configuration in the place of its name, such as backbone_config for backbone",
        ) from error
    finally:
        constants.HF_HUB_OFFLINE = before


def _check_keys(path: str, changes: Iterable[str], config: type, document: Mapping[str, object]) -> None:
    known = {*document, *vars(config())}
    for key in changes:
        if key not in known:
            raise UsageError(
                f"hf:{path}: its configuration has no '{key}'",
                hint=_offer(key, sorted(known), f"?{HEAD}=CausalLM or a key of the configuration"),
            )


def _auto_class(transformers: ModuleType, path: str, head: object) -> str:
    name = "AutoModel" if head is None else f"AutoModelFor{head}"
    if not hasattr(transformers, name):
        known = sorted(each.removeprefix("AutoModelFor") for each in dir(transformers) if "AutoModelFor" in each)
        raise UsageError(
            f"hf:{path}: transformers has no {name}", hint=_offer(str(head), known, f"write ?{HEAD}=CausalLM")
        )
    return name


def _offer(name: str, known: list[str], otherwise: str) -> str:
    close = get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(close)}?" if close else otherwise


def left_out(module: nn.Module, document: Mapping[str, object]) -> tuple[str, ...]:
    """A note where the configuration is that of a network with a head, and this is the one below it."""
    named = document.get("architectures")
    full = next((name for name in named if isinstance(name, str)), None) if isinstance(named, list) else None
    built = type(module).__name__
    if full is None or full == built:
        return ()
    head = "CausalLM" if "LMHead" in full else full.partition("For")[2]
    known = bool(head) and hasattr(import_transformers(), f"AutoModelFor{head}")
    asked = f": ?{HEAD}={head} counts it too" if known else ""
    return (f"counted as {built}; the configuration names {full}, which has more on top{asked}",)


def default_inputs(module: nn.Module, path: str) -> tuple[Arguments, str]:
    """Tokens, for a model that takes tokens, or an image of the configured size; and a note that says so.

    Raises `SourceError` for a model that takes anything else.
    """
    config = getattr(module, "config", None)
    main = str(getattr(module, "main_input_name", _TOKENS))
    if main == _TOKENS:
        positions = next((size for key in _POSITIONS if isinstance(size := getattr(config, key, None), int)), None)
        shape: tuple[int, ...] = (1, min(_LONGEST_DEFAULT, positions or _LONGEST_DEFAULT))
        names = [_TOKENS, *(["decoder_input_ids"] if getattr(config, "is_encoder_decoder", False) else [])]
        specs = {name: InputSpec(shape=shape, dtype=DType.INT64) for name in names}
    else:
        side, channels = getattr(config, "image_size", None), getattr(config, "num_channels", None)
        if main != "pixel_values" or not isinstance(side, int) or not isinstance(channels, int):
            raise SourceError(
                f"hf:{path}: its input '{main}' has no size in the configuration", hint=f"--input {main}=1x…"
            )
        shape = (1, channels, side, side)
        specs = {main: InputSpec(shape=shape)}
    text = "x".join(map(str, shape))
    assumed = f"{' and '.join(specs)} of {text} {'are' if len(specs) > 1 else 'is'} assumed"
    return Arguments(keywords=specs), f"{assumed}; --input {main}={text} with other sizes changes it"


def as_tokens(specs: Iterable[InputSpec]) -> tuple[InputSpec, ...]:
    """Inputs by those names that only take whole numbers need not be told to be such."""
    return tuple(
        replace(spec, dtype=DType.INT64)
        if spec.dtype is None and ((spec.name is None and len(spec.shape) == 2) or (spec.name or "").endswith("_ids"))
        else spec
        for spec in specs
    )
