"""The other end of `convcost.latency.runners.elsewhere`: a process that holds one model and runs it when asked.

python -m convcost.targets.served REQUEST SETTING, both as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import IO

from convcost.errors import ConvcostError
from convcost.latency import Setting
from convcost.latency.protocol import collector_off
from convcost.latency.runners.prepared import Prepared, UnrunnableError, first_line
from convcost.latency.session import opened
from convcost.sources.request import Request
from convcost.targets.workload import workload_of
from convcost.targets.written import read_request


def serve(request: Request, setting: Setting, questions: Iterable[str], answers: IO[str]) -> None:
    """Opens the model and answers until nobody asks any more."""
    try:
        with opened(workload_of(request), setting) as prepared, collector_off():
            _say(answers, {"device_name": prepared.device_name, "notes": list(prepared.notes)})
            _converse(prepared, questions, answers)
    except ConvcostError as error:
        _say(answers, {"refused": error.message})
    except UnrunnableError as error:
        _say(answers, {"refused": error.reason, "needed_bytes": error.needed_bytes})
    except Exception as error:  # whatever a model's code throws, whoever measures hears one line of it
        _say(answers, {"refused": first_line(error)})


def _converse(prepared: Prepared, questions: Iterable[str], answers: IO[str]) -> None:
    subject = prepared.subject
    for question in map(str.strip, questions):
        if question == "settle":
            subject, notes = prepared.settle() if prepared.settle else (subject, ())
            _say(answers, list(notes))
        elif question == "spent":
            spent = os.times()
            _say(answers, spent.user + spent.system)
        else:
            _say(answers, subject(int(question)))


def _say(answers: IO[str], answer: object) -> None:
    answers.write(f"{json.dumps(answer)}\n")
    answers.flush()


def _main(request: str, setting: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the model's code prints is no answer
    serve(read_request(request), Setting(**json.loads(setting)), sys.stdin, answers)


if __name__ == "__main__":
    _main(*sys.argv[1:])
