"""First weights with which the generator already copies its image and feels its label: `--init copy`.

From random weights a generator spends most of a short training on learning to pass the image through, and longer on
its label. The label is the same at every pixel, and each normalisation takes away what is the same everywhere. What
is left of it is a ring along the border, where the convolution's padding shows, and that has to find its way inwards.
Here a channel of its own carries each label's ring as far as the residual blocks: their normalisations subtract the
ring's mean, which shifts all other pixels, so that a label acts like a bias everywhere at once.

The architecture and the files are as ever. The copies have their image's own contrast and mean taken away by the
normalisations; those are what is left to learn.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from common.errors import UserError
from model import Generator, ResidualBlock

COPY = "copy"  # what --init says
COLOURS = 3
OPEN = 3.0  # added to a normalised copy, so that hardly a pixel is below 0, where the activation would flatten it
CONTRAST = 0.5  # standard deviation of the first images before the Tanh
LABEL = 4.0  # height of a label's ring when it enters the residual blocks
HEARD = 8.0  # factor of the weights from a label's ring into each block, whose normalisation leaves little of it
QUIET = 0.1  # factor of the weights that are not a copy yet and would disturb it


@torch.no_grad()
def start_copying(G: Generator) -> None:
    """Overwrite some of `G`'s random weights. Raises `UserError` where it has too few channels."""
    layers: list[Any] = list(G.main)
    blocks: list[Any] = [layer for layer in layers if isinstance(layer, ResidualBlock)]
    (conv, norm), *halvings = zip(layers[0:9:3], layers[1:9:3], strict=True)
    first_up = 9 + len(blocks)
    (up1, up1_norm), (up2, up2_norm) = zip(layers[first_up:-2:3], layers[first_up + 1 : -2 : 3], strict=True)
    c_dim = conv.in_channels - COLOURS
    if COLOURS + c_dim > conv.out_channels or 16 * COLOURS + c_dim > halvings[1][0].out_channels:
        raise UserError(f"--init copy has no room in --g_conv_dim {conv.out_channels}: give it 16 or more")
    _see(conv, norm, c_dim)
    for i, (down, down_norm) in enumerate(halvings):
        _halve(down, down_norm, COLOURS * 4**i, c_dim)
    halvings[1][1].weight[16 * COLOURS : 16 * COLOURS + c_dim] = LABEL
    for block in blocks:
        block.main[0].weight[:, 16 * COLOURS : 16 * COLOURS + c_dim] *= HEARD
        block.main[4].weight[: 16 * COLOURS + c_dim] = QUIET  # the other channels learn the change at full height
    _double(up1.weight, 4 * COLOURS)
    up1_norm.bias[: 4 * COLOURS] = OPEN
    _double(up2.weight, COLOURS)
    up2.weight[:, COLOURS : 2 * COLOURS] = -up2.weight[:, :COLOURS]  # the last layer has no bias to take `OPEN` away
    up2_norm.bias[: 2 * COLOURS] = OPEN
    _paint(layers[-2].weight)


def _see(conv: nn.Conv2d, norm: nn.InstanceNorm2d, c_dim: int) -> None:
    """Each colour, and each label's ring; the other channels see how far the border is, whatever the label."""
    weight = conv.weight
    weight[:, COLOURS:] = weight[:, COLOURS : COLOURS + 1]
    weight[: COLOURS + c_dim] = 0
    for colour in range(COLOURS):
        weight[colour, colour, 3, 3] = 1
    for label in range(COLOURS, COLOURS + c_dim):
        weight[label, label] = -1
    norm.bias[:COLOURS] = OPEN


def _halve(conv: nn.Conv2d, norm: nn.InstanceNorm2d, copies: int, c_dim: int) -> None:
    """The four pixels of each square as four channels, and the rings."""
    weight = conv.weight
    weight[: 4 * copies + c_dim] = 0
    for i, (copy, y, x) in enumerate(product(range(copies), (0, 1), (0, 1))):
        weight[i, copy, 1 + y, 1 + x] = 1
    for label in range(c_dim):
        weight[4 * copies + label, copies + label] = 1
    norm.bias[: 4 * copies] = OPEN


def _double(weight: Tensor, copies: int) -> None:
    """Four channels as the four pixels of a square again; `weight` is a transposed convolution's."""
    weight[:, :copies] = 0
    for i, (copy, y, x) in enumerate(product(range(copies), (0, 1), (0, 1))):
        weight[i, copy, 1 + y, 1 + x] = 1


def _paint(weight: Tensor) -> None:
    """Half of the difference between a copy and its negative."""
    weight *= QUIET
    weight[:, : 2 * COLOURS] = 0
    for colour in range(COLOURS):
        weight[colour, colour, 3, 3] = CONTRAST / 2
        weight[colour, COLOURS + colour, 3, 3] = -CONTRAST / 2
