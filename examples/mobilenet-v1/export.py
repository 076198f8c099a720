"""Writes `model.onnx` next to this file: MobileNetV1 with 4-bit weights and activations, as Brevitas defines it.

    python -m venv venv
    venv/bin/pip install brevitas==0.13.4 torch==2.15.0 onnx==1.23.2 onnxoptimizer==0.4.2 numpy==2.4.6
    venv/bin/python export.py                   # random weights: the size is right, the scores mean nothing
    venv/bin/python export.py checkpoint.pth    # trained weights

The file has 17 MB and is not kept in the repository. A checkpoint is a file of weights for Brevitas' network
`quant_mobilenet_v1_4b`; its authors publish one, trained on ImageNet, under the address that
`brevitas_examples/imagenet_classification/models/cfg/quant_mobilenet_v1_4b.ini` of the package names as
`PRETRAINED_URL`. Checkpoints are trained on pixels that are normalised; this script moves the normalisation into the
first batch norm, so that the network reads p/255 of a pixel p in either case, as accel.toml says.

The same versions on the same machine write the same bytes again.
"""

import sys
from configparser import ConfigParser
from pathlib import Path

import torch
from brevitas.export import export_qonnx
from brevitas_examples.imagenet_classification.models import model_with_cfg
from torch import Tensor, nn

HERE: Path = Path(__file__).resolve().parent
SEED: int = 1
SIDE: int = 224  # pixels
WARM_UP: int = 12  # passes in which random weights get statistics that fit them


def pictures(number: int) -> Tensor:
    """Smooth random colours in [0, 1]: more like photographs than noise is."""
    coarse = torch.rand(number, 3, 14, 14)
    return nn.functional.interpolate(coarse, size=SIDE, mode="bilinear", align_corners=False)


def randomise(model: nn.Module) -> None:
    """Gives batch norms gains and biases that differ, and every layer the statistics of its own inputs."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
            layer.momentum = None  # the mean over all passes
    model.train()
    with torch.no_grad():
        for _ in range(WARM_UP):
            model(pictures(4))


def absorb_normalisation(model: nn.Module, settings: ConfigParser) -> None:
    """Lets a network that was trained on `(x - mean) / std` read x.

    The first convolution has no padding, so the mean adds one constant to each of its output channels; and all colours
    have one std, which scales its outputs. The batch norm behind it takes up both.
    """
    mean = torch.tensor([settings.getfloat("PREPROCESS", f"MEAN_{i}") for i in range(3)])
    stds = {settings.getfloat("PREPROCESS", f"STD_{i}") for i in range(3)}
    block = model.features.init_block
    if len(stds) != 1 or any(block.conv.padding):
        raise SystemExit("export.py: this normalisation cannot be moved into the first batch norm")
    std = stds.pop()
    with torch.no_grad():
        weights = block.conv.quant_weight().value
        constant = (weights.sum(dim=(2, 3)) * mean).sum(dim=1)
        block.bn.running_mean.mul_(std).add_(constant)
        block.bn.running_var.add_(block.bn.eps).mul_(std**2).sub_(block.bn.eps)


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    model, settings = model_with_cfg("quant_mobilenet_v1_4b", pretrained=None)
    if len(sys.argv) > 1:
        model.load_state_dict(torch.load(sys.argv[1], map_location="cpu", weights_only=True))
        absorb_normalisation(model, settings)
    else:
        randomise(model)
    model.eval()
    export_qonnx(
        model,
        args=torch.zeros(1, 3, SIDE, SIDE),
        export_path=str(HERE / "model.onnx"),
        input_names=["image"],
        output_names=["scores"],
        dynamo=False,
    )


if __name__ == "__main__":
    main()
