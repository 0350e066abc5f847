"""The latency baseline: what models took when somebody last said that it was all right, machine by machine.

A file of its own beside the cost baseline, which is the same wherever it is written; times are not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction

from convcost.analysis import Json
from convcost.budgets.codes import NO_BASELINE, OTHER_MACHINE
from convcost.budgets.timing import TimedReference, Timing, nanoseconds
from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.latency import Fingerprint, Measurement
from convcost.latency.statistics import quantile
from convcost.units import Unit, format_column, format_percent, format_quantity

SCHEMA = "convcost/latency-baseline/1"
_KEPT = 101
"""Order statistics that stand for all samples: enough for a rank test, few enough to be read in a diff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyBaseline:
    """Sorted nanoseconds by machine and model; `file` is how complaints call it."""

    file: str
    machines: Mapping[str, StoredMachine]

    @classmethod
    def read(cls, document: Json, *, file: str) -> LatencyBaseline:
        """Raises `SourceError` for a document of another kind."""
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise _unreadable(file)
        machines = document.get("machines")
        if not isinstance(machines, list):
            raise _unreadable(file)
        found = [StoredMachine.read(each, file=file) for each in machines]
        return cls(file=file, machines={each.fingerprint.digest: each for each in found})

    def timing(self, name: str, measured: Measurement, here: Fingerprint) -> Timing:
        """The measurement beside the model's stored times, if they are this machine's."""
        own = self.machines.get(here.digest)
        if own is not None and name in own.models:
            times = tuple(each / 1e9 for each in own.models[name])
            return Timing(measured=measured, reference=TimedReference(times=times, origin=self.file, in_turn=False))
        others = [each for each in self.machines.values() if name in each.models]
        if not others:
            missing = f"{name} is not in {self.file}: convcost check --update-baseline adds it"
            return Timing(measured=measured, missing=missing, missing_code=NO_BASELINE)
        differences = min((here.differences(each.fingerprint) for each in others), key=len)
        missing = f"measured on another machine ({'; '.join(differences)})"
        return Timing(measured=measured, missing=missing, missing_code=OTHER_MACHINE)

    def change(self, name: str, now: Measurement, here: Fingerprint) -> str:
        """What a model took on this machine and what it takes, for somebody who accepts it."""
        value = nanoseconds(now.p10)
        own = self.machines.get(here.digest)
        if own is None or name not in own.models:
            return f"{name}: new for this machine, latency {format_quantity(value, Unit.TIME)}"
        before = round(quantile(own.models[name], 0.1))
        texts = " → ".join(format_column([before, value], Unit.TIME))
        return f"{name}: latency {texts} ({format_percent(Fraction(round(1000 * (value / before - 1)), 1000))})"

    def merged(self, here: Fingerprint, measured: Mapping[str, Measurement]) -> LatencyBaseline:
        """The same with these models at what they took now on this machine; all else stays as it is."""
        before = self.machines[here.digest].models if here.digest in self.machines else {}
        models = {**before, **{name: _kept(each.samples.times) for name, each in measured.items()}}
        machine = StoredMachine(fingerprint=here, models=models)
        return LatencyBaseline(file=self.file, machines={**self.machines, here.digest: machine})

    def text(self) -> str:
        """The file's content, machines and models in the order of their names."""
        machines = sorted(self.machines.values(), key=lambda each: sorted(each.fingerprint.facts.items()))
        listed = ",\n".join(each.text() for each in machines)
        return f'{{\n  "schema": {json.dumps(SCHEMA)},\n  "machines": [\n{listed}\n  ]\n}}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMachine:
    """What models took on one machine, in sorted nanoseconds."""

    fingerprint: Fingerprint
    models: Mapping[str, tuple[int, ...]]

    @classmethod
    def read(cls, document: Json, *, file: str) -> StoredMachine:
        """Raises `SourceError` for what the file should not say."""
        facts = document.get("machine") if isinstance(document, dict) else None
        models = document.get("models") if isinstance(document, dict) else None
        if not isinstance(facts, dict) or not isinstance(models, dict):
            raise _unreadable(file)
        return cls(
            fingerprint=Fingerprint(facts={key: str(value) for key, value in facts.items()}),
            models={name: _times(entry, file) for name, entry in models.items()},
        )

    def text(self) -> str:
        """Its part of the file, each model on a line of its own."""
        facts = json.dumps(self.fingerprint.facts, sort_keys=True)
        models = ",\n".join(
            f"        {json.dumps(name)}: {json.dumps({'p10_ns': round(quantile(times, 0.1)), 'samples_ns': times})}"
            for name, times in sorted(self.models.items())
        )
        return f'    {{\n      "machine": {facts},\n      "models": {{\n{models}\n      }}\n    }}'


def _times(entry: Json, file: str) -> tuple[int, ...]:
    samples = entry.get("samples_ns") if isinstance(entry, dict) else None
    found = [each for each in samples if isinstance(each, int) and each > 0] if isinstance(samples, list) else []
    if not isinstance(samples, list) or not found or len(found) < len(samples):
        raise _unreadable(file)
    return tuple(sorted(found))


def _kept(times: Sequence[float]) -> tuple[int, ...]:
    """The samples, or evenly spaced order statistics of them where they are many."""
    count = min(len(times), _KEPT)
    shares = [at / (count - 1) for at in range(count)] if count > 1 else [0.5]
    return tuple(max(nanoseconds(quantile(times, share)), 1) for share in shares)


def _unreadable(file: str) -> SourceError:
    hint = "take it from version control again, or remove it and run convcost check --update-baseline"
    return SourceError(f"{file}: not a latency baseline ({SCHEMA})", hint=hint)
