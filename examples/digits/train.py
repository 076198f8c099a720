"""Trains the digits network, and writes `model.onnx` and `test.npz` next to this file.

Both files are kept in this folder, so building the example needs no Python. To train anew:

    python -m venv venv
    venv/bin/pip install brevitas==0.13.4 torch==2.15.0 onnx==1.23.2 onnxoptimizer==0.4.2
    venv/bin/pip install scikit-learn==1.9.1 numpy==2.4.6
    venv/bin/python train.py

The same versions on the same machine write the same bytes again.
"""

from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.export import export_qonnx
from brevitas.quant import Int8WeightPerChannelFloat, Int8WeightPerTensorFloat
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

HERE: Path = Path(__file__).resolve().parent
SEED: int = 1
EPOCHS: int = 80
BATCH: int = 32
TEST_IMAGES: int = 360
WHITE: float = 16.0  # the brightest pixel of the set; accel.toml says the same as scale = 1/16


class Digits(nn.Module):
    """64 pixels -> 64 -> 32 -> 10 digits; every weight and activation between them is an integer."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        # 4-bit weights, one scale for each of the 64 neurons.
        self.fc1 = qnn.QuantLinear(
            64, 64, bias=False, weight_quant=Int8WeightPerChannelFloat, weight_bit_width=4
        )
        self.bn1 = nn.BatchNorm1d(64)
        self.act1 = qnn.QuantReLU(bit_width=4)
        # 2-bit narrow weights: only -1, 0 and +1 times one scale.
        self.fc2 = qnn.QuantLinear(
            64, 32, bias=False, weight_quant=Int8WeightPerTensorFloat, weight_bit_width=2
        )
        self.bn2 = nn.BatchNorm1d(32)
        self.act2 = qnn.QuantReLU(bit_width=2)
        # The last layer adds a bias of real numbers: its outputs are scores, not activations.
        self.fc3 = qnn.QuantLinear(
            32, 10, bias=True, weight_quant=Int8WeightPerTensorFloat, weight_bit_width=4
        )

    def forward(self, image: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.fc1(self.flatten(image))))
        x = self.act2(self.bn2(self.fc2(x)))
        return self.fc3(x)


def train(model: Digits, images: Tensor, labels: Tensor) -> None:
    """Trains in place with Adam and a learning rate that falls to zero along a cosine."""
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    model.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(BATCH):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimiser.step()
        schedule.step()


def right_answers(model: Digits, images: Tensor, labels: Tensor) -> int:
    """Counts the images whose highest score is that of their label."""
    model.eval()
    with torch.no_grad():
        return int((model(images).argmax(dim=1) == labels).sum())


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    digits = load_digits()
    pixels = digits.images.astype(np.uint8).reshape(-1, 1, 8, 8)  # whole numbers 0..16
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, digits.target, test_size=TEST_IMAGES, random_state=SEED, stratify=digits.target
    )

    def images(x: np.ndarray) -> Tensor:
        return torch.from_numpy(x.astype(np.float32) / WHITE)

    model = Digits()
    train(model, images(train_x), torch.from_numpy(train_y))
    right = right_answers(model, images(test_x), torch.from_numpy(test_y))
    print(f"test accuracy: {right} of {TEST_IMAGES} ({right / TEST_IMAGES:.2%})")

    export_qonnx(
        model,
        args=torch.zeros(1, 1, 8, 8),
        export_path=str(HERE / "model.onnx"),
        input_names=["image"],
        output_names=["scores"],
        dynamo=False,
    )
    np.savez_compressed(HERE / "test.npz", x=test_x, y=test_y.astype(np.uint8))


if __name__ == "__main__":
    main()
