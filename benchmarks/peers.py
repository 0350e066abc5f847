"""Other counters of PyTorch models, each asked in a process of its own: they crash, and leave patches behind."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import multiprocessing
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import nn

_PATIENCE = 300  # seconds, after which a peer is taken to hang


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A module in eval mode with values, and what it is called with."""

    module: nn.Module
    positional: tuple[object, ...]
    keywords: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A counter by the package it comes in, and how its own documentation says to ask it for its MACs."""

    name: str
    package: str
    macs: Callable[[Subject], float]

    @property
    def installed(self) -> bool:
        return find_spec(self.package.replace("-", "_")) is not None

    @property
    def version(self) -> str:
        return version(self.package).partition("+")[0]

    def load(self) -> None:
        """Imports what its first question would, so that processes made later need not."""
        importlib.import_module(self.package.replace("-", "_"))


class UnaskableError(Exception):
    """The peer has no way to take such inputs; its text says which."""


def asked(peer: Peer, subject: Callable[[], Subject]) -> float | str:
    """What a peer says of a model that is built in the process that asks, or what became of the attempt."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a process of several threads forks; they are waiting
        receiver, sender = multiprocessing.get_context("fork").Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=_answer, args=(peer, subject, sender))
        process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(_PATIENCE) else "does not end"
    except EOFError:
        return "crashes"
    finally:
        process.kill()
        process.join()


def _answer(peer: Peer, subject: Callable[[], Subject], sender: Connection) -> None:
    said: float | str
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 2)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                said = peer.macs(subject())
        except UnaskableError as reason:
            said = str(reason)
        except Exception as error:  # what a counter cannot do is what is asked
            said = f"raises {type(error).__name__}"
    sender.send(said)


def _by_flop_counter(subject: Subject) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        subject.module(*subject.positional, **subject.keywords)
    return float(counter.get_total_flops() / 2)


def _by_fvcore(subject: Subject) -> float:
    _refuse_keywords(subject)
    counter = importlib.import_module("fvcore.nn").FlopCountAnalysis(subject.module, subject.positional)
    return float(counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def _by_thop(subject: Subject) -> float:
    _refuse_keywords(subject)
    profile = importlib.import_module("thop").profile
    return float(profile(subject.module, inputs=subject.positional, verbose=False)[0])


def _by_ptflops(subject: Subject) -> float:
    """It takes one tensor, or keywords; more tensors are given by the names they have."""
    given: object = subject.positional[0] if len(subject.positional) == 1 and not subject.keywords else None
    if given is None or isinstance(given, dict):
        bound = inspect.signature(subject.module.forward).bind(*subject.positional, **subject.keywords)
        given = dict(bound.arguments)
    info = importlib.import_module("ptflops").get_model_complexity_info(
        subject.module, (1,), input_constructor=lambda _: given, as_strings=False, print_per_layer_stat=False
    )
    if info[0] is None:
        raise UnaskableError("gives up")
    return float(info[0])


def _by_torchinfo(subject: Subject) -> float:
    summary = importlib.import_module("torchinfo").summary
    found = summary(subject.module, input_data=list(subject.positional), verbose=0, **subject.keywords)
    return float(found.total_mult_adds)


def _by_calflops(subject: Subject) -> float:
    calculate = importlib.import_module("calflops").calculate_flops
    given = {"args": list(subject.positional), "kwargs": dict(subject.keywords)}
    return float(calculate(subject.module, **given, output_as_string=False, print_results=False)[1])


def _by_torchprofile(subject: Subject) -> float:
    _refuse_keywords(subject)
    with torch.no_grad():
        return float(importlib.import_module("torchprofile").profile_macs(subject.module, subject.positional))


def _refuse_keywords(subject: Subject) -> None:
    if subject.keywords:
        raise UnaskableError("no keyword inputs")


PEERS = (
    Peer(name="FlopCounterMode", package="torch", macs=_by_flop_counter),
    Peer(name="fvcore", package="fvcore", macs=_by_fvcore),
    Peer(name="thop", package="thop", macs=_by_thop),
    Peer(name="ptflops", package="ptflops", macs=_by_ptflops),
    Peer(name="torchinfo", package="torchinfo", macs=_by_torchinfo),
    Peer(name="calflops", package="calflops", macs=_by_calflops),
    Peer(name="torchprofile", package="torchprofile", macs=_by_torchprofile),
)
