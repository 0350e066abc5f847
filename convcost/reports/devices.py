"""What one of several devices would hold and do, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from convcost.reports.document import Column, Kind, Row, Table

if TYPE_CHECKING:
    from convcost.alternatives import DeviceShare

_COLUMNS = (
    Column(key="alternative", title="Alternative", kind=Kind.TEXT),
    Column(key="split", title="Split by", kind=Kind.TEXT),
    Column(key="macs", title="MACs", kind=Kind.COUNT),
    Column(key="params", title="Params", kind=Kind.COUNT, spare=1),
    Column(key="held_bytes", title="Holds", kind=Kind.BYTES),
    Column(key="communication_bytes", title="Moves", kind=Kind.BYTES),
    Column(key="communication", title="By", kind=Kind.TEXT, spare=2),
)
_SPLITS: Mapping[str, str] = {"data": "images", "channel": "channels", "filter_group": "groups", "mixed": "both"}
_REMARK = (
    "The busiest device. Holds: weights and maps. Moves: gradients sent when split by images, else parts of maps "
    "received until it has the whole output."
)


def devices_table(rows: Sequence[tuple[str, Sequence[DeviceShare]]], *, what: str) -> Table:
    """One row for each alternative, given by its label, and each way to split it. There must be a row."""
    devices = next(share.devices for _, shares in rows for share in shares)
    return Table(
        title=f"{what} on {devices} devices: what one of them holds, does and moves",
        columns=_COLUMNS,
        rows=tuple(_row(label, share) for label, shares in rows for share in shares),
        remarks=(_REMARK,),
    )


def _row(label: str, share: DeviceShare) -> Row:
    return (
        label,
        _SPLITS[share.scheme],
        share.macs,
        share.params,
        share.held_bytes,
        share.communication_bytes,
        share.communication,
    )
