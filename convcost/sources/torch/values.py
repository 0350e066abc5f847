"""Which graph value a live torch tensor is."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import replace

import torch

from convcost.graph import Role, Tensor, Weight
from convcost.sources.torch.boxes import unpacked
from convcost.sources.torch.call import dtype_of
from convcost.sources.torch.storage import storage_of


class Values:
    """Follows tensors by identity through one run, without keeping them alive.

    A tensor that no operator gave and no module stores (a constant the code closed over) becomes a constant
    weight when it is first met.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], Tensor]] = {}
        self._stored: dict[int, Weight] = {}
        self._stand_ins: dict[int, tuple[weakref.ref[torch.Tensor], torch.Tensor]] = {}
        self._weights: dict[str, Weight] = {}
        self._boxes: dict[int, tuple[object, tuple[torch.Tensor, ...]]] = {}
        self._views = 0

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Every stored tensor, the constants met on the way last."""
        return tuple(self._weights.values())

    def store(self, weights: Iterable[Weight], tensors: Iterable[tuple[torch.Tensor, Weight]]) -> None:
        """Makes known all the module's weights, in its own order, and which tensors of the run are theirs."""
        self._weights.update((weight.name, weight) for weight in weights)
        for tensor, weight in tensors:
            whole = (tuple(tensor.shape), dtype_of(tensor)) == (weight.shape, weight.dtype)
            self.learn(tensor, Tensor.of(weight) if whole else self.view_of_weight(weight, tensor))
            address = storage_of(tensor)
            if address is not None:
                self._stored.setdefault(address, weight)

    def name_constant(self, tensor: torch.Tensor, name: str) -> None:
        """Names a plain tensor attribute, should the run read it."""
        self.learn(tensor, Tensor.of(_constant(tensor, name)))

    def learn(self, tensor: torch.Tensor, value: Tensor) -> None:
        self._known[id(tensor)] = (weakref.ref(tensor), value)

    def of(self, tensor: torch.Tensor) -> Tensor:
        """The graph value of a tensor. Raises `LookupError` for an element type that has no width we know."""
        known = self._known.get(id(tensor))
        # A dead tensor's identity may have passed to a new one.
        if known is not None and known[0]() is tensor:
            value = known[1]
            if value.weight is not None:
                self._weights.setdefault(value.weight.name, value.weight)
            return value
        return self._adopt(tensor)

    def packed(self, box: object) -> tuple[Tensor, ...]:
        """The weights and biases in a quantized layer's box, the same however often the box is met.

        Raises `TypeError` for what is no box.
        """
        if not isinstance(box, torch.ScriptObject):
            raise TypeError(f"quantized weights lie in a script object, not in a {type(box).__name__}")
        # Every call wraps the box anew, and boxes refuse to be compared; their hash is their identity.
        if hash(box) not in self._boxes:
            self._boxes[hash(box)] = (box, unpacked(box))
        return tuple(self.of(tensor) for tensor in self._boxes[hash(box)][1])

    def _adopt(self, tensor: torch.Tensor) -> Tensor:
        address = storage_of(tensor)
        owner = self._stored.get(address) if address is not None else None
        if owner is not None and owner.shape == tuple(tensor.shape):
            value = Tensor.of(owner)
        elif owner is not None:
            value = self.view_of_weight(owner, tensor)
        else:
            value = Tensor.of(_constant(tensor, self._unused_name()))
        self.learn(tensor, value)
        if value.weight is not None:
            self._weights.setdefault(value.weight.name, value.weight)
        return value

    def _unused_name(self) -> str:
        serial = 0
        while (name := f"constant_{serial}" if serial else "constant") in self._weights:
            serial += 1
        return name

    def view_of_weight(self, weight: Weight, tensor: torch.Tensor, *, trainable: bool = True) -> Tensor:
        """A part or turn of a stored tensor, which is that weight under a name of its own.

        Unless `trainable`, no gradient reaches the weight through it.
        """
        self._views += 1
        return Tensor(
            name=f"{weight.name}[{self._views}]",
            shape=tuple(tensor.shape),
            dtype=dtype_of(tensor),
            weight=weight if trainable else replace(weight, trainable=False),
            alias=weight.name,
        )

    def stand_in(self, tensor: torch.Tensor) -> torch.Tensor:
        """A meta tensor in place of a real one; the same for the same tensor."""
        entry = self._stand_ins.get(id(tensor))
        if entry is not None and entry[0]() is tensor:
            substitute = entry[1]
        else:
            substitute = tensor.to("meta")
            self._stand_ins[id(tensor)] = (weakref.ref(tensor), substitute)
        self.learn(substitute, self.of(tensor))
        return substitute


def _constant(tensor: torch.Tensor, name: str) -> Weight:
    # A parameter that no module lists: closed over, or unpacked from a quantized layer's box.
    role = Role.PARAMETER if isinstance(tensor, torch.nn.Parameter) else Role.CONSTANT
    shape, dtype = tuple(tensor.shape), dtype_of(tensor)
    return Weight(name=name, shape=shape, dtype=dtype, role=role, trainable=tensor.requires_grad)
