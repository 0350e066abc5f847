"""A model that another process runs, so that two revisions of its code never meet; that process keeps its own time.

Spoken over its stdin and stdout, a line each way: it begins with a description of what it holds, or why it holds
nothing; then a number of calls is answered with the seconds they took, `settle` with notes, `spent` with its processor
time.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO

from convcost.latency.protocol import Subject
from convcost.latency.runners.prepared import Prepared, UnrunnableError, first_line
from convcost.latency.setting import Setting
from convcost.latency.workload import OtherProcess

_PATIENCE = 5.0
"""Seconds that the process has to end by itself once nobody asks any more."""


@contextlib.contextmanager
def open_elsewhere(workload: OtherProcess, setting: Setting) -> Iterator[Prepared]:
    """Starts the process and ends it. Raises `UnrunnableError` with the reason it gives for holding nothing."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(
            [*workload.command, json.dumps(asdict(setting))],
            cwd=workload.folder,
            env=dict(workload.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            encoding="utf-8",
            start_new_session=True,  # an interrupt is the business of the one who measures
        )
        try:
            yield _prepared(_Conversation(process, complaints))
        finally:
            _end(process)


class _Conversation:
    """One question, one answer."""

    def __init__(self, process: subprocess.Popen[str], complaints: IO[str]) -> None:
        self._process = process
        self._complaints = complaints
        self._owes_an_answer = False

    def ask(self, question: str) -> object:
        """Raises `RuntimeError` once an interrupt has come between a question and its answer."""
        if self._owes_an_answer:
            raise RuntimeError("an earlier question was never answered")
        self._owes_an_answer = True
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{question}\n")
                self._process.stdin.flush()
        answer = self.hear()
        self._owes_an_answer = False
        return answer

    def hear(self) -> object:
        """Raises `RuntimeError` with its last words where the process is gone."""
        answer = self._process.stdout.readline() if self._process.stdout is not None else ""
        if answer:
            return json.loads(answer)
        self._complaints.seek(0)
        said = [line.strip() for line in self._complaints if line.strip()]
        raise RuntimeError(said[-1] if said else "its process ended without a word")


def _prepared(conversation: _Conversation) -> Prepared:
    try:
        held = conversation.hear()
    except RuntimeError as error:
        raise UnrunnableError(first_line(error)) from error
    if not isinstance(held, dict) or "refused" in held:
        refusal = held if isinstance(held, dict) else {}
        raise UnrunnableError(str(refusal.get("refused")), needed_bytes=refusal.get("needed_bytes"))
    subject = _subject(conversation)

    def settle() -> tuple[Subject, tuple[str, ...]]:
        notes = conversation.ask("settle")
        return subject, tuple(map(str, notes)) if isinstance(notes, list) else ()

    return Prepared(
        subject=subject,
        device_name=str(held["device_name"]),
        notes=tuple(held["notes"]),
        settle=settle,
        spent=lambda: _number(conversation.ask("spent")),
    )


def _subject(conversation: _Conversation) -> Subject:
    return lambda calls: _number(conversation.ask(str(calls)))


def _number(answer: object) -> float:
    if isinstance(answer, int | float):
        return float(answer)
    raise RuntimeError(str(answer))


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
