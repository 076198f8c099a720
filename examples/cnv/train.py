"""Trains the cnv network, and writes `model.onnx` and `test.npz` next to this file.

Both files are kept in this folder, so building the example needs no Python. To train anew, with the pictures of
Fashion-MNIST (10 kinds of clothes, 28 x 28 pixels, MIT licence, https://github.com/zalandoresearch/fashion-mnist)
as Debian packages them:

    apt-get install dataset-fashion-mnist
    python -m venv venv
    venv/bin/pip install brevitas==0.13.4 torch==2.15.0 onnx==1.23.2 onnxoptimizer==0.4.2 numpy==2.4.6
    venv/bin/python train.py

Argument: another folder of the four files of the data set, if they are not where Debian puts them. Training takes
some minutes on two cores. The same versions on the same machine write the same bytes again.
"""

import gzip
import sys
from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.export import export_qonnx
from brevitas.quant import Int8WeightPerChannelFloat, Int8WeightPerTensorFloat
from torch import Tensor, nn

HERE: Path = Path(__file__).resolve().parent
DATA: Path = Path("/usr/share/datasets/fashion-mnist")
SEED: int = 1
EPOCHS: int = 12
BATCH: int = 100
KEPT_IMAGES: int = 256  # of the 10,000 test images, so many go into test.npz
WHITE: float = 255.0  # the brightest pixel; accel.toml says the same as scale = 1/255


def convolution(inputs: int, outputs: int, kernel: int, bits: int, **rest: int) -> qnn.QuantConv2d:
    """Few-bit weights with one scale for each of the output channels, no bias: a batch norm follows."""
    return qnn.QuantConv2d(
        inputs,
        outputs,
        kernel,
        bias=False,
        weight_quant=Int8WeightPerChannelFloat,
        weight_bit_width=bits,
        **rest,
    )


class Cnv(nn.Module):
    """One image 1 x 28 x 28 -> 10 scores; every weight and activation between them is an integer."""

    def __init__(self) -> None:
        super().__init__()
        # 1 x 28 x 28 -> 16 x 28 x 28; a border of zeros keeps the size.
        self.conv1 = convolution(1, 16, 3, bits=4, padding=1)
        self.bn1 = nn.BatchNorm2d(16)
        self.act1 = qnn.QuantReLU(bit_width=4)
        # -> 16 x 14 x 14; depthwise: each channel has a kernel of its own, which takes two steps at a time.
        self.depthwise = convolution(16, 16, 3, bits=4, padding=1, stride=2, groups=16)
        self.bn2 = nn.BatchNorm2d(16)
        self.act2 = qnn.QuantReLU(bit_width=4)
        # -> 32 x 14 x 14; pointwise: a kernel of one pixel mixes the channels.
        self.pointwise = convolution(16, 32, 1, bits=4)
        self.bn3 = nn.BatchNorm2d(32)
        self.act3 = qnn.QuantReLU(bit_width=4)
        # -> 32 x 7 x 7
        self.pool = nn.MaxPool2d(2)
        # 2-bit narrow weights: only -1, 0 and +1 times the scale of the channel.
        self.conv2 = convolution(32, 32, 3, bits=2, padding=1)
        self.bn4 = nn.BatchNorm2d(32)
        self.act4 = qnn.QuantReLU(bit_width=3, return_quant_tensor=True)
        # -> 32 x 1 x 1; the sum of 49 levels of 3 bits has 9 bits, of which the highest 6 stay.
        self.average = qnn.TruncAvgPool2d(7, bit_width=6, float_to_int_impl_type="FLOOR")
        self.flatten = nn.Flatten()
        # The last layer adds a bias of real numbers: its outputs are scores, not activations.
        self.scores = qnn.QuantLinear(
            32, 10, bias=True, weight_quant=Int8WeightPerTensorFloat, weight_bit_width=4
        )

    def forward(self, image: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(image)))
        x = self.act2(self.bn2(self.depthwise(x)))
        x = self.act3(self.bn3(self.pointwise(x)))
        x = self.act4(self.bn4(self.conv2(self.pool(x))))
        return self.scores(self.flatten(self.average(x)))


def read(folder: Path, name: str, header: int) -> np.ndarray:
    """The bytes of an IDX file behind its header."""
    with gzip.open(folder / f"{name}-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).copy()


def part(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 1, 28, 28] and labels [N] of a part of the data set, all uint8."""
    images = read(folder, f"{name}-images-idx3", 16).reshape(-1, 1, 28, 28)
    return images, read(folder, f"{name}-labels-idx1", 8)


def reals(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images.astype(np.float32) / np.float32(WHITE))


def train(model: Cnv, images: Tensor, labels: Tensor) -> None:
    """Trains in place with Adam and a learning rate that rises and falls; half of the images are mirrored."""
    steps = EPOCHS * len(images) // BATCH
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=1e-2, total_steps=steps)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(images)).split(BATCH):
            x = images[rows]
            x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x, x.flip(3))
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(x), labels[rows])
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(x)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(images):.4f}", flush=True)


def right_answers(model: Cnv, images: Tensor, labels: Tensor) -> int:
    """Counts the images whose highest score is that of their label."""
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(x).argmax(dim=1) for x in images.split(500)])
    return int((found == labels).sum())


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    train_x, train_y = part(folder, "train")
    test_x, test_y = part(folder, "t10k")

    model = Cnv()
    train(model, reals(train_x), torch.from_numpy(train_y).long())
    right = right_answers(model, reals(test_x), torch.from_numpy(test_y).long())
    print(f"test accuracy: {right} of {len(test_x)} ({right / len(test_x):.2%})")

    export_qonnx(
        model,
        args=torch.zeros(1, 1, 28, 28),
        export_path=str(HERE / "model.onnx"),
        input_names=["image"],
        output_names=["scores"],
        dynamo=False,
    )
    np.savez_compressed(HERE / "test.npz", x=test_x[:KEPT_IMAGES], y=test_y[:KEPT_IMAGES])


if __name__ == "__main__":
    main()
