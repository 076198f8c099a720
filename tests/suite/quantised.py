"""Small networks in ONNX' quantised formats, and what onnxruntime computes with them.

Arguments: a folder, and `exported`. Without the second one it writes for each N `N.onnx`, `N.txt` (a title), and
`N.npz`: the inputs `x`, one sample a row, and the outputs `y` as reals. With it, it runs every `N.exported.onnx` on
the same inputs and writes `N.exported.npz`.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(11)
node = helper.make_node
INT = {np.dtype(np.int8): (-128, 127), np.dtype(np.uint8): (0, 255)}
MS = {"domain": "com.microsoft"}


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


class File:
    """A chain that begins with quantised pixels `q` of scale `s` and zero-point `z`."""

    def __init__(self, title, shape, opset=13, kind=np.uint8, scale=0.0413, zero=101):
        self.title, self.shape, self.opset = title, shape, opset
        self.nodes, self.constants, self.count = [], [], 0
        self.input = TensorProto.FLOAT
        self.s, self.z = self.add(np.float32(scale)), self.add(kind(zero))
        self.q = self.node("QuantizeLinear", ["x", self.s, self.z])

    def add(self, value, name=None):
        self.count += 1
        name = name or f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op, inputs, **attributes):
        self.count += 1
        output = f"t{self.count}"
        self.nodes.append(node(op, inputs, [output], f"n{self.count}", **attributes))
        return output

    def grid(self, scale, zero, kind=np.int8):
        return [self.add(np.float32(scale)), self.add(kind(zero))]

    def weights(self, *shape, kind=np.int8):
        return self.add(random.integers(*INT[np.dtype(kind)], shape, dtype=kind, endpoint=True))

    def real(self, q, grid):
        return self.node("DequantizeLinear", [q, *grid])

    def write(self, number, last, shape=None, kind=TensorProto.FLOAT):
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "quantised",
            [info("x", self.input, self.shape)],
            [info(last, kind, shape)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        run = session(model)
        samples = random.uniform(-4.5, 6.5, (12, *self.shape)).astype(np.float32)
        if self.input == TensorProto.UINT8:
            samples = random.integers(0, 255, (12, *self.shape), np.uint8, True)
        y = np.stack([run.run(None, {"x": sample})[0] for sample in samples])
        onnx.save(model, folder / f"{number}.onnx")
        (folder / f"{number}.txt").write_text(self.title)
        np.savez(folder / f"{number}.npz", x=samples, y=y.astype(np.float64))


def convolution(title, op=13, w_kind=np.int8, per_axis=False, w_zero=0, bias=True, **attributes):
    file = File(title, [1, 4, 6, 5], op)
    group = attributes.get("group", 1)
    w = file.weights(8, 4 // group, 3, 3, kind=w_kind)
    if per_axis:
        scale = random.uniform(0.001, 0.02, 8).astype(np.float32)
        w_grid = [file.add(scale), file.add(np.full(8, w_zero, w_kind))]
    else:
        w_grid = file.grid(0.0073, w_zero, w_kind)
    y_grid = file.grid(3.1 if not per_axis else 2.3, 17, np.uint8)
    inputs = [file.q, file.s, file.z, w, *w_grid, *y_grid]
    if bias:
        inputs.append(file.add(random.integers(-9000, 9000, 8).astype(np.int32)))
    return file, file.real(file.node("QLinearConv", inputs, **attributes), y_grid)


def cases():
    yield convolution("QLinearConv")
    yield convolution("QLinearConv per axis", per_axis=True, pads=[1, 0, 2, 1])
    yield convolution("QLinearConv unsigned weights", w_kind=np.uint8, w_zero=131, strides=[2, 1])
    yield convolution("QLinearConv groups", group=2, dilations=[2, 1], bias=False)

    file = File("QLinearMatMul", [1, 12])
    y = file.grid(9.7, 125, np.uint8)
    w = [file.weights(12, 5), *file.grid(0.03, 0)]
    last = file.node("QLinearMatMul", [file.q, file.s, file.z, *w, *y])
    yield file, file.real(last, y)

    for turned, axis in ((0, 5), (1, 5)):
        file = File(f"QGemm transB={turned}", [1, 12])
        y = file.grid(9.7, 5, np.uint8)
        scale = random.uniform(0.01, 0.05, 5).astype(np.float32)
        w = [file.weights(*((5, 12) if turned else (12, 5))), file.add(scale), file.add(np.zeros(5, np.int8))]
        b = file.add(random.integers(-20000, 20000, 5).astype(np.int32))
        inputs = [file.q, file.s, file.z, *w, b, *y]
        last = file.node("QGemm", inputs, transB=turned, alpha=1.0, **MS)
        yield file, file.real(last, y)

    file = File("QGemm to reals", [1, 12])
    w = [file.weights(12, 5), *file.grid(0.03, 0)]
    yield file, file.node("QGemm", [file.q, file.s, file.z, *w, file.add(np.zeros(5, np.int32))], **MS)

    file = File("ConvInteger, Cast, Mul", [1, 4, 6, 5])
    w = file.weights(6, 4, 2, 2, kind=np.uint8)
    sums = file.node("ConvInteger", [file.q, w, file.z, file.add(np.uint8(130))], pads=[0, 1, 1, 0])
    real = file.node("Cast", [sums], to=TensorProto.FLOAT)
    yield file, file.node("Mul", [real, file.add(random.uniform(0.001, 0.01, (1, 6, 1, 1)).astype(np.float32))])

    file = File("MatMulInteger, Add, Cast, Mul", [1, 12])
    w = file.weights(12, 5, kind=np.uint8)
    sums = file.node("MatMulInteger", [file.q, w, file.z, file.add(np.uint8(121))])
    sums = file.node("Add", [sums, file.add(random.integers(-9000, 9000, 5).astype(np.int32))])
    real = file.node("Cast", [sums], to=TensorProto.FLOAT)
    yield file, file.node("Mul", [real, file.add(np.float32(0.0123))])

    for op, attributes in (("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.2})):
        file = File(op, [1, 4, 6, 5])
        y = file.grid(0.004 if op == "QLinearSigmoid" else 0.04, 0, np.uint8)
        yield file, file.real(file.node(op, [file.q, file.s, file.z, *y], **MS, **attributes), y)

    file = File("QLinearGlobalAveragePool", [1, 4, 6, 5])
    y = file.grid(0.0213, 99, np.uint8)
    yield file, file.real(file.node("QLinearGlobalAveragePool", [file.q, file.s, file.z, *y], **MS), y)

    file = File("QLinearAveragePool", [1, 4, 6, 5])
    y = file.grid(0.0313, 99, np.uint8)
    inputs = [file.q, file.s, file.z, *y]
    yield file, file.real(file.node("QLinearAveragePool", inputs, kernel_shape=[2, 2], **MS), y)

    file = File("QLinearAdd of a constant", [1, 4, 6])
    y, w = file.grid(0.0913, 93, np.uint8), file.weights(4, 1, kind=np.uint8)
    inputs = [file.q, file.s, file.z, w, *file.grid(0.02, 77, np.uint8), *y]
    yield file, file.real(file.node("QLinearAdd", inputs, **MS), y)

    for op in ("QLinearAdd", "QLinearConcat"):
        file = File(f"{op} of two branches", [1, 4, 3, 2])
        first, second = file.grid(0.05137, 30, np.uint8), file.grid(0.004191, 0, np.uint8)
        left = file.node("QLinearLeakyRelu", [file.q, file.s, file.z, *first], alpha=0.25, **MS)
        right = file.node("QLinearSigmoid", [file.q, file.s, file.z, *second], **MS)
        y = file.grid(0.06113, 40, np.uint8)
        operands = [left, *first, right, *second]
        inputs = [*operands, *y] if op == "QLinearAdd" else [*y, *operands]
        more = {} if op == "QLinearAdd" else {"axis": 1}
        yield file, file.real(file.node(op, inputs, **more, **MS), y)

    file = File("QLinearMul by a constant", [1, 4, 6])
    y, w = file.grid(0.0913, 93, np.uint8), file.weights(4, 1, kind=np.uint8)
    inputs = [file.q, file.s, file.z, w, *file.grid(0.02, 77, np.uint8), *y]
    yield file, file.real(file.node("QLinearMul", inputs, **MS), y)

    file = File("QCDQ", [1, 4, 6], kind=np.int8, zero=-3)
    bounds = [file.add(np.int8(-8)), file.add(np.int8(7))]
    yield file, file.real(file.node("Clip", [file.q, *bounds]), [file.s, file.z])

    file = File("Relu, MaxPool, Clip, Pad, Transpose, Reshape on integers", [1, 4, 6, 5], 14, np.int8, zero=-7)
    q = file.node("Relu", [file.q])
    q = file.node("Pad", [q, file.add(np.array([0, 0, 1, 0, 0, 0, 0, 1])), file.z])
    q = file.node("MaxPool", [q], kernel_shape=[2, 2])
    q = file.node("Clip", [q, "", file.add(np.int8(60))])
    q = file.node("Transpose", [q], perm=[0, 2, 3, 1])
    q = file.node("Reshape", [q, file.add(np.array([1, -1]))])
    yield file, file.real(q, [file.s, file.z])

    file = File("two readers and reals as an output", [1, 7])
    file.real(file.q, [file.s, file.z])
    yield file, file.node("Mul", [file.real(file.q, [file.s, file.z]), file.add(np.float32(2))])

    file = File("dequantised otherwise", [1, 7])
    yield file, file.real(file.q, file.grid(0.5, 3, np.uint8))

    file = File("pixels are fed", [1, 3, 4, 4])
    file.nodes.clear()
    file.input = TensorProto.UINT8
    yield file, file.real("x", [file.s, file.z])

    file = File("pixels are cast", [1, 3, 4, 4])
    file.nodes.clear()
    file.input = TensorProto.UINT8
    real = file.node("Cast", ["x"], to=TensorProto.FLOAT)
    yield file, file.node("Div", [real, file.add(np.float32(255))])

    file = File("no zero-point, opset 10", [1, 5], 10)
    file.nodes.clear()
    q = file.node("QuantizeLinear", ["x", file.s])
    yield file, file.node("DequantizeLinear", [q, file.s])

    file = File("weights quantised in the file, large bias", [1, 6], 13)
    w = file.add(random.uniform(-1, 1, (6, 4)).astype(np.float32), "w")
    grid = [file.add(random.uniform(0.01, 0.02, 4).astype(np.float32)), file.add(np.zeros(4, np.int8))]
    w = file.node("QuantizeLinear", [w, *grid], axis=1)
    w = file.node("DequantizeLinear", [w, *grid], axis=1)
    x = file.real(file.q, [file.s, file.z])
    big = file.add(np.array([2**31 - 1, -(2**31), 16777217, -5], np.int32))
    b = file.node("DequantizeLinear", [big, file.add(np.float32(2.0**-27))])
    yield file, file.node("Add", [file.node("MatMul", [x, w]), b])

    for kind, opset in ((np.int16, 21), (np.uint16, 22)):
        file = File(f"{kind.__name__}, opset {opset}", [1, 5], opset, kind, 0.0003, 1000)
        yield file, file.real(file.q, [file.s, file.z])

    for kind in (TensorProto.INT4, TensorProto.UINT4):
        file = File(f"four bits {kind}", [1, 3, 5], 21)
        file.nodes.clear()
        zero = 3 if kind == TensorProto.UINT4 else -3
        file.constants.append(helper.make_tensor("zero", kind, [], [zero]))
        grid = [file.add(np.float32(0.4)), "zero"]
        low = 0 if kind == TensorProto.UINT4 else -8
        w = helper.make_tensor("w", kind, [5, 3], random.integers(low, low + 16, 15).tolist())
        file.constants.append(w)
        x = file.real(file.node("QuantizeLinear", ["x", *grid]), grid)
        yield file, file.node("MatMul", [x, file.real("w", grid)])


def exported():
    """What onnxruntime makes of the files that finnp wrote, on the same inputs."""
    for path in sorted(folder.glob("*.exported.onnx")):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        x = np.load(folder / f"{path.name.split('.')[0]}.npz")["x"].astype(np.float32)
        run = session(model)
        y = np.stack([run.run(None, {run.get_inputs()[0].name: sample})[0] for sample in x])
        np.savez(path.with_suffix(".npz"), y=y.astype(np.float64))


folder = Path(sys.argv[1])
if len(sys.argv) > 2:
    exported()
else:
    for number, (file, last) in enumerate(cases()):
        file.write(number, last)
