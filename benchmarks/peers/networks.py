# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""The five networks of the benchmarks in PyTorch, layer by layer what include/siena/models builds, and supernets over four."""

import torch
from torch import nn

CLASSES = {"resnet8": 10, "ds_cnn": 12, "mobilenet_v1": 2, "resnet18": 200}
INPUTS = {
    "resnet8": (3, 32, 32),
    "ds_cnn": (1, 49, 10),
    "mobilenet_v1": (3, 96, 96),
    "autoencoder": (640,),
    "resnet18": (3, 64, 64),
}


def conv_bn_relu(inputs, outputs, kernel, stride=1, bias=False, relu=True, groups=1):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


def head(features, classes):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, classes))


class Residual(nn.Module):
    """relu(body(x) + shortcut(x))."""

    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        self.shortcut = shortcut if shortcut is not None else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


class ResNet8(nn.Sequential):
    def __init__(self):
        def block(inputs, outputs, stride):
            body = nn.Sequential(
                conv_bn_relu(inputs, outputs, 3, stride),
                conv_bn_relu(outputs, outputs, 3, bias=True, relu=False),
            )
            return Residual(body, nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else None)

        super().__init__(
            conv_bn_relu(3, 16, 3), block(16, 16, 1), block(16, 32, 2), block(32, 64, 2), head(64, CLASSES["resnet8"])
        )


class DsCnn(nn.Sequential):
    def __init__(self):
        def norm():
            return nn.BatchNorm2d(64, momentum=0.99)

        layers = [nn.Conv2d(1, 64, (10, 4), 2, (5, 1)), norm(), nn.ReLU(), nn.Dropout(0.2)]
        for _ in range(4):
            layers += [nn.Conv2d(64, 64, 3, 1, 1, groups=64), norm(), nn.ReLU()]
            layers += [nn.Conv2d(64, 64, 1), norm(), nn.ReLU()]
        super().__init__(*layers, nn.Dropout(0.4), head(64, CLASSES["ds_cnn"]))


# Output channels and stride of the thirteen blocks at width 0.25.
MOBILENET_BLOCKS = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)] + [(128, 1)] * 5 + [(256, 2), (256, 1)]


class MobileNetV1(nn.Sequential):
    def __init__(self):
        layers, channels = [conv_bn_relu(3, 8, 3, 2)], 8
        for outputs, stride in MOBILENET_BLOCKS:
            layers += [conv_bn_relu(channels, channels, 3, stride, groups=channels), conv_bn_relu(channels, outputs, 1)]
            channels = outputs
        super().__init__(*layers, head(channels, CLASSES["mobilenet_v1"]))


class Autoencoder(nn.Sequential):
    def __init__(self):
        layers, features = [], 640
        for units in [128] * 4 + [8] + [128] * 4:
            layers += [nn.Linear(features, units), nn.BatchNorm1d(units), nn.ReLU()]
            features = units
        super().__init__(*layers, nn.Linear(features, 640))


class ResNet18(nn.Sequential):
    def __init__(self):
        def block(inputs, outputs, stride):
            body = nn.Sequential(conv_bn_relu(inputs, outputs, 3, stride), conv_bn_relu(outputs, outputs, 3, relu=False))
            return Residual(body, conv_bn_relu(inputs, outputs, 1, stride, relu=False) if stride > 1 else None)

        layers, channels = [conv_bn_relu(3, 64, 3)], 64
        for outputs, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
            layers += [block(channels, outputs, stride), block(outputs, outputs, 1)]
            channels = outputs
        super().__init__(*layers, head(channels, CLASSES["resnet18"]))


NETWORKS = {
    "resnet8": ResNet8,
    "ds_cnn": DsCnn,
    "mobilenet_v1": MobileNetV1,
    "autoencoder": Autoencoder,
    "resnet18": ResNet18,
}


def supernet(name, choice):
    """The paper's supernet over a network, or None; `choice` makes a module that picks one of a list."""

    def block(inputs, outputs, stride=1, bias=True, relu=True):
        separable = nn.Sequential(
            conv_bn_relu(inputs, inputs, 3, stride, bias, groups=inputs), conv_bn_relu(inputs, outputs, 1, 1, bias, relu)
        )
        branches = [
            conv_bn_relu(inputs, outputs, 3, stride, bias, relu),
            conv_bn_relu(inputs, outputs, 5, stride, bias, relu),
            separable,
        ]
        if inputs == outputs and stride == 1:
            branches.append(nn.Identity())
        return choice(branches)

    def residual(inputs, outputs, stride):
        body = nn.Sequential(block(inputs, outputs, stride), block(outputs, outputs, relu=False))
        return Residual(body, conv_bn_relu(inputs, outputs, 1, stride, True, False) if stride > 1 else None)

    if name == "resnet8":
        blocks = [block(3, 16), residual(16, 16, 1), residual(16, 32, 2), residual(32, 64, 2)]
        return nn.Sequential(*blocks, head(64, CLASSES[name]))
    if name == "ds_cnn":
        stem = [nn.Conv2d(1, 64, (10, 4), 2, (5, 1)), nn.BatchNorm2d(64, momentum=0.99), nn.ReLU(), nn.Dropout(0.2)]
        return nn.Sequential(*stem, *[block(64, 64) for _ in range(4)], nn.Dropout(0.4), head(64, CLASSES[name]))
    if name == "mobilenet_v1":
        layers, channels = [conv_bn_relu(3, 8, 3, 2)], 8
        for outputs, stride in MOBILENET_BLOCKS:
            layers.append(block(channels, outputs, stride, bias=False))
            channels = outputs
        return nn.Sequential(*layers, head(channels, CLASSES[name]))
    if name == "autoencoder":
        layers, features = [], 640
        for number, units in enumerate([128] * 4 + [8] + [128] * 4, start=1):
            layer = nn.Sequential(nn.Linear(features, units), nn.BatchNorm1d(units), nn.ReLU())
            layers.append(layer if number in (1, 5, 6) else choice([layer, nn.Identity()]))
            features = units
        return nn.Sequential(*layers, nn.Linear(features, 640))
    return None


def noise(name, batch):
    """A batch of inputs and what is to be learnt from it: classes, or for the autoencoder the inputs themselves."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.rand((batch, *INPUTS[name]), generator=generator) * 2 - 1
    return inputs, torch.arange(batch) % CLASSES[name] if name in CLASSES else inputs
