"""Networks quantised by onnxruntime's own quantiser, and what onnxruntime computes with them.

Arguments: the digits (`mnist.npz`), a folder, the number of samples. Trains the last layer of a small convolutional
network, exports it as floats and quantises it in both formats, per tensor and per channel, with signed and unsigned
activations. Writes for each N `N.onnx`, `N.json` (its title, and for every quantised tensor the names that it may
have, its scale and its place) and `N.npz`: the inputs `x`, and for every place the integers less the zero-point.
"""

import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

random = np.random.default_rng(7)


def session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def kernel(filters, depth, size):
    gain = (2 / (depth * size * size)) ** 0.5
    return (random.standard_normal((filters, depth, size, size)) * gain).astype(np.float32)


def network(head):
    """Convolutions with a bias, padding, a stride, groups, both pools, and a dense layer."""
    gains = random.uniform(0.5, 2.0, 8).astype(np.float32)
    constants = {
        "conv1.weight": kernel(8, 1, 3) * gains[:, None, None, None],
        "conv1.bias": random.uniform(-0.2, 0.2, 8).astype(np.float32),
        "conv2.weight": kernel(8, 1, 3),
        "conv2.bias": random.uniform(-0.2, 0.2, 8).astype(np.float32),
        "conv3.weight": kernel(16, 8, 3),
        "conv3.bias": random.uniform(-0.2, 0.2, 16).astype(np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "conv1.weight", "conv1.bias"], ["a"], "conv1", pads=[1] * 4),
        node("Relu", ["a"], ["b"], "relu1"),
        node("MaxPool", ["b"], ["c"], "pool1", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["c", "conv2.weight", "conv2.bias"], ["d"], "conv2", pads=[1] * 4, group=8),
        node("LeakyRelu", ["d"], ["e"], "relu2", alpha=0.125),
        node("Conv", ["e", "conv3.weight", "conv3.bias"], ["f"], "conv3", strides=[2, 2]),
        node("Relu", ["f"], ["g"], "relu3"),
        node("Flatten", ["g"], ["h"], "flatten"),
    ]
    shape, last = [1, 16 * 3 * 3], "h"
    if head is not None:
        constants |= {"fc.weight": head[0], "fc.bias": head[1]}
        nodes.append(node("Gemm", ["h", "fc.weight", "fc.bias"], ["y"], "fc", transB=1))
        shape, last = [1, 10], "y"
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "digits",
        [info("x", TensorProto.FLOAT, [1, 1, 14, 14])],
        [info(last, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def trained(features, labels):
    """A dense layer by a few hundred steps of gradient descent."""
    weight, bias = np.zeros((10, features.shape[1])), np.zeros(10)
    scale = features.std() + 1e-6
    inputs, wanted = features / scale, np.eye(10)[labels]
    for _ in range(300):
        logits = inputs @ weight.T + bias
        share = np.exp(logits - logits.max(1, keepdims=True))
        slope = (share / share.sum(1, keepdims=True) - wanted) / len(labels)
        weight -= 0.5 * slope.T @ inputs
        bias -= 0.5 * slope.sum(0)
    return (weight / scale).astype(np.float32), bias.astype(np.float32)


class Reader(CalibrationDataReader):
    def __init__(self, samples):
        self.samples = iter([{"x": sample[None]} for sample in samples])

    def get_next(self):
        return next(self.samples, None)


def integers(model):
    """Quantised tensors: names that they may have behind an import, and names of scale and zero-point."""
    found = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            found[node.output[0]] = node.input[1], node.input[2]
        elif node.op_type in ("QLinearConv", "QLinearMatMul"):
            found[node.output[0]] = node.input[6], node.input[7]
        elif node.op_type == "QGemm" and len(node.input) == 9:
            found[node.output[0]] = node.input[7], node.input[8]
        elif node.op_type.startswith("QLinear"):
            found[node.output[0]] = node.input[3], node.input[4]
    behind = {name: [name] for name in found}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in behind:
            behind[node.input[0]].append(node.output[0])
    return {name: (behind[name], *meaning) for name, meaning in found.items()}


def computed(number, title, path, samples):
    model = onnx.load(path)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    quantised = integers(model)
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    outputs = {output.name for output in model.graph.output}
    for name, (_, _, zero) in quantised.items():
        if name not in outputs:
            kind = helper.np_dtype_to_tensor_dtype(constants[zero].dtype)
            watched.graph.output.append(helper.make_tensor_value_info(name, kind, None))
    run = session(watched)
    arrays = {"x": samples}
    rows = []
    for place, (name, (names, scale, zero)) in enumerate(quantised.items()):
        values = [run.run([name], {"x": sample[None]})[0].reshape(-1) for sample in samples]
        arrays[f"t{place}"] = np.stack(values).astype(np.int64) - int(constants[zero])
        rows.append({"names": names, "scale": float(constants[scale]), "place": place})
    np.savez(folder / f"{number}.npz", **arrays)
    (folder / f"{number}.json").write_text(json.dumps({"title": title, "tensors": rows}))


digits, folder, count = np.load(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
keys = sorted(digits.files)
images = next(digits[key] for key in keys if digits[key].ndim >= 2 and digits[key].size % 784 == 0)
labels = next(digits[key] for key in keys if digits[key].ndim == 1 and len(digits[key]) == len(images))
images = images.reshape(-1, 1, 28, 28)[:3000].astype(np.float32)
if images.max() > 1:
    images /= np.float32(255)
# Means of four pixels alone would be ties of the quantiser at the input, thousands of them.
images = images.reshape(-1, 1, 14, 2, 14, 2).mean((3, 5))
images = (images + random.uniform(0, 1e-3, images.shape)).astype(np.float32)
state = random.bit_generator.state
features = session(network(None))
features = np.concatenate([features.run(None, {"x": image[None]})[0] for image in images])
random.bit_generator.state = state
head = trained(features, labels[:3000].astype(int))
model = network(head)
onnx.save(model, folder / "float.onnx")
logits = features @ head[0].T + head[1]
print("float accuracy", (logits.argmax(1) == labels[:3000]).mean())
choices = product(
    [QuantFormat.QDQ, QuantFormat.QOperator], [False, True], [QuantType.QInt8, QuantType.QUInt8]
)
for number, (style, per_channel, activations) in enumerate(choices):
    path = folder / f"{number}.onnx"
    quantize_static(
        folder / "float.onnx",
        path,
        Reader(images[:64]),
        quant_format=style,
        per_channel=per_channel,
        activation_type=activations,
        weight_type=QuantType.QInt8,
    )
    title = f"{style.name}, per {'channel' if per_channel else 'tensor'}, {activations.name}"
    computed(number, title, path, images[100 : 100 + count])
