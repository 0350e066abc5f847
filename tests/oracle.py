"""Plain loop nests that perform every multiplication of an operator, one by one, and count them.

Nothing here is shared with the package: no formula, no shape rule. Every loop nest is the definition of its
operator; `tests/test_oracle.py` holds the values it computes against torch's, so that the count is the count
of the right work.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Index = tuple[int, ...]
Pads = Sequence[tuple[int, int]]


@dataclass
class Array:
    """A dense array of whole numbers: values by index, zero where nothing was written."""

    shape: Index
    values: dict[Index, int] = field(default_factory=dict)

    @classmethod
    def counting(cls, *shape: int) -> Array:
        """Filled with small values that differ between neighbours."""
        return cls(shape, {index: 7 * position % 11 - 5 for position, index in enumerate(indices(shape))})

    def __getitem__(self, index: Index) -> int:
        return self.values.get(index, 0)

    def add(self, index: Index, value: int) -> None:
        self.values[index] = self[index] + value

    def tolist(self) -> list[int]:
        return [self[index] for index in indices(self.shape)]


@dataclass
class Multiplier:
    """Multiplies, and remembers how often."""

    count: int = 0

    def __call__(self, a: int, b: int) -> int:
        self.count += 1
        return a * b


def indices(shape: Sequence[int]) -> Iterator[Index]:
    return itertools.product(*(range(size) for size in shape))


def convolve(
    data: Array, weight: Array, *, stride: Index, pads: Pads, dilation: Index, groups: int, times: Multiplier
) -> Array:
    """Slides every kernel over `(batch, channels, *spatial)` data that really is padded with zeros first."""
    batch, channels, *spatial = data.shape
    filters, channels_per_group, *kernel = weight.shape
    padded = [size + before + after for size, (before, after) in zip(spatial, pads, strict=True)]
    shifted = Array((batch, channels, *padded))
    for n, c, *at in indices(data.shape):
        shifted.values[n, c, *(i + before for i, (before, _) in zip(at, pads, strict=True))] = data[n, c, *at]

    starts = []
    for size, taps, step, spread in zip(padded, kernel, stride, dilation, strict=True):
        fits = [start for start in range(0, size, step) if start + (taps - 1) * spread < size]
        starts.append(fits)
    output = Array((batch, filters, *(len(fits) for fits in starts)))
    for n, f, *at in indices(output.shape):
        first = f // (filters // groups) * channels_per_group
        for c, *tap in indices((channels_per_group, *kernel)):
            position = [fits[i] + t * spread for fits, i, t, spread in zip(starts, at, tap, dilation, strict=True)]
            output.add((n, f, *at), times(shifted[n, first + c, *position], weight[f, c, *tap]))
    return output


def scatter(
    data: Array,
    weight: Array,
    *,
    stride: Index,
    pads: Pads,
    dilation: Index,
    output_padding: Index,
    groups: int,
    times: Multiplier,
) -> Array:
    """Transposed convolution: every input value is stamped onto a canvas, whose edge is then cut."""
    batch, channels, *spatial = data.shape
    _, filters_per_group, *kernel = weight.shape
    canvas: dict[Index, int] = {}
    for n, c, *at in indices(data.shape):
        group = c // (channels // groups)
        for f, *tap in indices((filters_per_group, *kernel)):
            spot = [i * step + t * spread for i, t, step, spread in zip(at, tap, stride, dilation, strict=True)]
            key = (n, group * filters_per_group + f, *spot)
            canvas[key] = canvas.get(key, 0) + times(data[n, c, *at], weight[c, f, *tap])

    reach = [
        (size - 1) * step + (taps - 1) * spread + 1 + extra
        for size, step, taps, spread, extra in zip(spatial, stride, kernel, dilation, output_padding, strict=True)
    ]
    kept = [range(before, size - after) for size, (before, after) in zip(reach, pads, strict=True)]
    output = Array((batch, groups * filters_per_group, *(len(axis) for axis in kept)))
    for n, f, *at in indices(output.shape):
        output.values[n, f, *at] = canvas.get((n, f, *(axis[i] for axis, i in zip(kept, at, strict=True))), 0)
    return output


def matmul(a: Array, b: Array, times: Multiplier) -> Array:
    """`(*, m, k)` times `(*, k, n)`, leading axes stretched where they are 1 or absent."""
    batch = stretch(a.shape[:-2], b.shape[:-2])
    rows, inner = a.shape[-2:]
    columns = b.shape[-1]
    output = Array((*batch, rows, columns))
    for index in indices(output.shape):
        *lead, row, column = index
        for k in range(inner):
            product = times(a[(*clip(lead, a.shape[:-2]), row, k)], b[(*clip(lead, b.shape[:-2]), k, column)])
            output.add(index, product)
    return output


def stretch(one: Index, other: Index) -> Index:
    rank = max(len(one), len(other))
    pairs = zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(other)) + other, strict=True)
    return tuple(b if a == 1 else a for a, b in pairs)


def clip(index: Sequence[int], shape: Index) -> Index:
    """The element that a stretched index reads."""
    nearest = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else i for i, size in zip(nearest, shape, strict=True))


def einsum(terms: Sequence[str], result: str, arrays: Sequence[Array], times: Multiplier) -> Array:
    """Joins operands from the left; an index that only one of a pair still has is summed before multiplying.

    Only multiplications of pairs that sum something away are counted: an outer product contracts nothing.
    """
    left, name = arrays[0], terms[0]
    for position, (term, right) in enumerate(zip(terms[1:], arrays[1:], strict=True), start=1):
        wanted = set(result).union(*terms[position + 1 :])
        left, name = sum_away(left, name, keep=wanted | set(term))
        slim, short = sum_away(right, term, keep=wanted | set(name))
        every = "".join(dict.fromkeys(name + short))
        kept = "".join(index for index in every if index in wanted)
        multiply = times if len(kept) < len(every) else Multiplier()
        sizes = dict(zip(name + short, left.shape + slim.shape, strict=True))
        joined = Array(tuple(sizes[index] for index in kept))
        for at in indices([sizes[index] for index in every]):
            value = dict(zip(every, at, strict=True))
            product = multiply(left[tuple(value[i] for i in name)], slim[tuple(value[i] for i in short)])
            joined.add(tuple(value[i] for i in kept), product)
        left, name = joined, kept
    left, name = sum_away(left, name, keep=set(result))
    order = [name.index(index) for index in result]
    return Array(
        tuple(left.shape[axis] for axis in order),
        {tuple(at[axis] for axis in order): value for at, value in left.values.items()},
    )


def sum_away(array: Array, name: str, keep: set[str]) -> tuple[Array, str]:
    """Takes the diagonal of a repeated index and adds up the indices that are not kept."""
    distinct = "".join(dict.fromkeys(name))
    kept = "".join(index for index in distinct if index in keep)
    sizes = dict(zip(name, array.shape, strict=True))
    output = Array(tuple(sizes[index] for index in kept))
    for at in indices([sizes[index] for index in distinct]):
        value = dict(zip(distinct, at, strict=True))
        output.add(tuple(value[i] for i in kept), array[tuple(value[i] for i in name)])
    return output, kept


def attention(
    query: Array, key: Array, value: Array, times: Multiplier, *, sees: list[list[bool]] | None = None
) -> Array:
    """`(batch, heads, positions, features)` operands; every score is used as it is, without softmax.

    `sees[i][j]` says whether query i may look at key j; a product that may not is not made.
    """
    batch, heads, length, features = query.shape
    sharing = heads // key.shape[1]
    output = Array((batch, heads, length, value.shape[3]))
    for n, head, i in indices((batch, heads, length)):
        for j in range(key.shape[2]):
            if sees is not None and not sees[i][j]:
                continue
            score = sum(times(query[n, head, i, e], key[n, head // sharing, j, e]) for e in range(features))
            for e in range(value.shape[3]):
                output.add((n, head, i, e), times(score, value[n, head // sharing, j, e]))
    return output


def recurrent(
    *,
    gates: int,
    steps: int,
    batch: int,
    inputs: int,
    hidden: int,
    layers: int,
    directions: int,
    projection: int,
    times: Multiplier,
) -> int:
    """Runs a stack of gated layers step by step, each gate value a real sum of products; returns features out."""
    state_size = projection or hidden
    sequence = [[[1] * inputs for _ in range(batch)] for _ in range(steps)]
    for _ in range(layers):
        runs = []
        for direction in range(directions):
            order = sequence if direction == 0 else sequence[::-1]
            states = [[0] * state_size for _ in range(batch)]
            seen = []
            for step in order:
                states = [
                    _next_state(features, state, gates, hidden, projection, times)
                    for features, state in zip(step, states, strict=True)
                ]
                seen.append(states)
            runs.append(seen if direction == 0 else seen[::-1])
        sequence = [[[v for run in runs for v in run[step][item]] for item in range(batch)] for step in range(steps)]
    return len(sequence[0][0])


def _next_state(
    features: list[int], state: list[int], gates: int, hidden: int, projection: int, times: Multiplier
) -> list[int]:
    candidate = [0] * hidden
    for _gate, unit in indices((gates, hidden)):
        candidate[unit] = sum(times(1, x) for x in features) + sum(times(1, h) for h in state)
    bounded = [value % 3 for value in candidate]
    if not projection:
        return bounded
    return [sum(times(1, value) for value in bounded) % 3 for _ in range(projection)]
