"""Running an ONNX file with ONNX Runtime; a file whose weights are missing gets random ones in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no annotations

from convcost.graph import DType, Shape, Tensor
from convcost.latency.fingerprint import processor_name
from convcost.latency.runners.memory import check_fits
from convcost.latency.runners.prepared import Prepared, UnrunnableError, first_line, host_timed
from convcost.latency.runners.random_values import DTYPES, Values, random_input, random_weight
from convcost.latency.setting import Setting
from convcost.latency.workload import OnnxFile, needed_bytes

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_FATAL_ONLY = 4
_EXTERNAL = onnx.TensorProto.EXTERNAL


@contextmanager
def open_onnx(workload: OnnxFile, setting: Setting) -> Iterator[Prepared]:
    """A session on the file, its inputs bound once.

    Raises `UnrunnableError` with the runtime's own words for a model it cannot run.
    """
    check_fits(needed_bytes(workload.graph), setting)
    session, notes = file_session(workload.path, setting)
    yield prepared_session(session, workload.graph.inputs, setting, notes)


def prepared_session(
    session: ort.InferenceSession, inputs: Sequence[Tensor], setting: Setting, notes: tuple[str, ...]
) -> Prepared:
    """The session with inputs bound to the setting's device."""
    call = bound_call(session, inputs, setting)
    name = processor_name() if setting.device == "cpu" else "CUDA device 0"
    return Prepared(subject=host_timed(call), device_name=name, notes=notes)


def bound_call(session: ort.InferenceSession, inputs: Sequence[Tensor], setting: Setting) -> Callable[[], object]:
    """A call that copies nothing in or out: inputs are on the device already, and results stay there."""
    binding = session.io_binding()
    kept = []
    for name, values in input_values(session, inputs, setting).items():
        # Bound by its memory, so the value has to live as long as the binding.
        kept.append(ort.OrtValue.ortvalue_from_numpy(values, setting.device, 0))
        binding.bind_ortvalue_input(name, kept[-1])
    for output in session.get_outputs():
        binding.bind_output(output.name, setting.device)

    def call() -> object:
        session.run_with_iobinding(binding)
        return kept

    return call


def input_values(session: ort.InferenceSession, inputs: Sequence[Tensor], setting: Setting) -> dict[str, Values]:
    """Random values of fixed seed for everything the session wants, in the shapes the graph was read at."""
    generator = np.random.default_rng(setting.seed)
    shapes = {tensor.name: tensor for tensor in inputs}
    values = {}
    for wanted in session.get_inputs():
        if wanted.name not in shapes:
            raise UnrunnableError(f"the shape of input '{wanted.name}' is not known")
        tensor = shapes[wanted.name]
        values[wanted.name] = random_input(tensor.shape, tensor.dtype, generator)
    return values


def file_session(
    path: str, setting: Setting, options: ort.SessionOptions | None = None
) -> tuple[ort.InferenceSession, tuple[str, ...]]:
    """A session on a file, and notes: weights that lie in a file that is not there are made up."""
    options = options or session_options(setting)
    try:
        return create_session(path, setting, options), ()
    except UnrunnableError:
        missing = missing_weights(path)
        if not missing:
            raise
    model = onnx.load(path, load_external_data=False).SerializeToString()
    session = create_session(model, setting, options, random_weights(missing, setting))
    return session, (f"{len(missing)} weights are random, made in memory: the file came without them",)


def session_options(setting: Setting) -> ort.SessionOptions:
    """Threads as asked, one operator at a time; idle threads stop spinning, for they would slow what runs in turn."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def create_session(
    model: str | bytes,
    setting: Setting,
    options: ort.SessionOptions,
    weights: Mapping[str, Values] | None = None,
) -> ort.InferenceSession:
    """A session, with values for initializers that the model only refers to. Raises `UnrunnableError`."""
    provider = _PROVIDERS[setting.device]
    if provider not in ort.get_available_providers():
        raise UnrunnableError(f"this ONNX Runtime has no {provider}")
    if weights:
        values = [ort.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        options.add_external_initializers(list(weights), values)
    try:
        return ort.InferenceSession(model, options, providers=[provider])
    except Exception as error:  # the runtime's exceptions share no base but Exception
        raise UnrunnableError(f"ONNX Runtime cannot load it: {first_line(error)}", detail=str(error)) from error


def missing_weights(path: str) -> dict[str, tuple[Shape, DType]]:
    """All initializers stored outside the file, if any of the files they lie in is missing; else none."""
    model = onnx.load(path, load_external_data=False)
    outside = [tensor for tensor in model.graph.initializer if tensor.data_location == _EXTERNAL]
    if all((Path(path).parent / _location(tensor)).is_file() for tensor in outside):
        return {}
    return {tensor.name: (tuple(tensor.dims), _dtype(tensor)) for tensor in outside}


def random_weights(described: Mapping[str, tuple[Shape, DType]], setting: Setting) -> dict[str, Values]:
    """Values of fixed seed, in the order described."""
    generator = np.random.default_rng(setting.seed)
    return {name: random_weight(shape, dtype, generator) for name, (shape, dtype) in described.items()}


def _location(tensor: onnx.TensorProto) -> str:
    return next((entry.value for entry in tensor.external_data if entry.key == "location"), "")


def _dtype(tensor: onnx.TensorProto) -> DType:
    name = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name
    if name not in DTYPES:
        raise UnrunnableError(f"weight '{tensor.name}' is of type {name}, which cannot be made up")
    return DTYPES[name]
