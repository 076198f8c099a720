"""Runs networks with the Python executor of QONNX.

Argument: a folder. It holds, for every N, `N.onnx`, the inputs `x` in `N.npz`, and in `N.json` the names of the
tensors that are wanted: of every sample (`each`) or, for those that no input reaches, of the first one (`once`).
Writes `N.out.npz`: the tensors in that order, as `t0`, `t1` and so on. Files that ONNX' own checker refuses are
an error.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

threaded = onnxruntime.InferenceSession


def session(model):
    """The executor opens a session for every node: threads of its own would cost more than they gain, and the
    file that onnx makes of the node has a newer format than onnxruntime reads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    model = onnx.load_from_string(model)
    model.ir_version = min(model.ir_version, 10)
    return threaded(model.SerializeToString(), sess_options=options)


onnxruntime.InferenceSession = session

for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    model = ModelWrapper(str(path))
    if not model.check_all_tensor_shapes_specified():
        model = model.transform(InferShapes())
    wanted = json.loads(path.with_suffix(".json").read_text())
    samples = np.load(path.with_suffix(".npz"))["x"].astype(np.float32)
    name = model.graph.input[0].name
    each, once = [[] for _ in wanted["each"]], []
    for number, sample in enumerate(samples):
        tensors = execute_onnx(model, {name: sample}, return_full_exec_context=True)
        for values, tensor in zip(each, wanted["each"]):
            values.append(np.array(tensors[tensor]))
        if number == 0:
            once = [np.array(tensors[tensor]) for tensor in wanted["once"]]
    arrays = [np.stack(values) for values in each] + once
    np.savez(path.with_suffix(".out.npz"), **{f"t{i}": array for i, array in enumerate(arrays)})
