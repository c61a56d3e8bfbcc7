"""Is it still the same person? dlib's face recognition network turns a face into 128 numbers that tell who it is.

Two faces whose numbers are closer than 0.6 are taken for one person, rightly in 99.38 % of the pairs of LFW
(dlib's author, 2017). The weights are dlib's (CC0); the network is written here for PyTorch, because dlib's own
packages compute it without BLAS: ten times as slow on a CPU, and never on a GPU.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from common import pretrained_files
from face_detection import FaceFinder

SAME_PERSON = 0.6  # distance below which dlib takes two faces for one person
CHIP_SIZE = 150  # pixels: side of the aligned face that the network takes
FACES_AT_ONCE = 16
MEAN_RGB = (122.782, 117.001, 104.298)  # what dlib subtracts from the pixels

# Where dlib's alignment puts five points of a face, as parts of the chip's side, and the points in MediaPipe's mesh:
# the outer and inner corner of the eye on the right of the picture, of the eye on the left, and the base of the nose.
DLIB_POINTS = (np.array([(0.860, 0.213), (0.646, 0.229), (0.121, 0.214), (0.334, 0.229), (0.490, 0.628)]) + 0.25) / 1.5
MESH_POINTS = [263, 362, 33, 133, 2]

# Output channels of the residual blocks, and which of them halve the image.
BLOCKS = [*[(32, False)] * 3, (64, True), *[(64, False)] * 3, (128, True), *[(128, False)] * 2,
          (256, True), *[(256, False)] * 2, (256, True)]  # fmt: skip

Alignment = NDArray[np.float64] | None  # 2×3 matrix from an image to its chip; None: no face was found


class Residual(nn.Module):
    """Two 3×3 convolutions plus their input."""

    def __init__(self, channels_in: int, channels: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        stride, padding = (2, 0) if halves else (1, 1)  # dlib's strided convolutions have no padding
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same, or about half as high and wide with more channels."""
        y = self.conv2(F.relu(self.conv1(x)))
        if self.halves:
            x = F.avg_pool2d(x, 2)
        channels, height, width = (max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True))
        return F.relu(_filled_up(x, channels, height, width) + _filled_up(y, channels, height, width))


def _filled_up(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    """`x` with zeros after its last channel, row and column, as dlib adds tensors of different sizes."""
    return F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1]))


class FaceResNet(nn.Module):
    """dlib's 29-layer network; its affine layers are folded into the convolutions before them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 7, 2)
        channels = [32, *(channels for channels, _ in BLOCKS)]
        self.blocks = nn.Sequential(
            *(Residual(before, after, halves) for before, (after, halves) in zip(channels, BLOCKS, strict=False))
        )
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Chips [B, 3, 150, 150], normalised -> descriptors [B, 128]."""
        x = F.max_pool2d(F.relu(self.conv(x)), 3, 2)
        return self.fc(self.blocks(x).mean(dim=(2, 3)))


def read_dlib(path: Path) -> FaceResNet:
    """The network with the weights of dlib's file, in which the layers follow each other from the image on."""
    network = FaceResNet()
    arrays = list(_arrays(path.read_bytes()))
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        for conv, weight, affine in zip(convolutions, arrays[0:-1:2], arrays[1:-1:2], strict=True):
            scale, shift = affine.chunk(2)
            kernel, bias = weight.split([conv.weight.numel(), len(scale)])
            conv.weight.copy_(kernel.view_as(conv.weight) * scale[:, None, None, None])
            assert conv.bias is not None
            conv.bias.copy_(bias * scale + shift)
        network.fc.weight.copy_(arrays[-1].view(256, 128).T)
    return network.eval().requires_grad_(False)


def _arrays(data: bytes) -> Iterator[Tensor]:
    """The layers' parameters: after each name a version and four dimensions, then that many float32.

    dlib writes a whole number as a byte that tells its length, then its bytes, the lowest first.
    """
    for layer in re.finditer(rb"con_4|affine_|fc_2", data):
        at = layer.end()
        numbers: list[int] = []
        while len(numbers) < (7 if layer[0] == b"fc_2" else 5):
            length = data[at]
            numbers.append(int.from_bytes(data[at + 1 : at + 1 + length], "little"))
            at += 1 + length
        yield torch.from_numpy(np.frombuffer(data, "<f4", int(np.prod(numbers[-4:])), at).copy())


class IdentityNetwork:
    """Who is on a face. Use as a context manager, or `close()` it.

    Faces are aligned by MediaPipe's mesh, five of whose points take the places that dlib gave them.
    """

    def __init__(self, network: FaceResNet, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._network = network.to(self.device).to(memory_format=torch.channels_last)
        self._mean = torch.tensor(MEAN_RGB, device=self.device).view(3, 1, 1)
        self._finder: FaceFinder | None = None

    @classmethod
    def load(cls, device: torch.device | str = "cpu") -> IdentityNetwork:
        """With dlib's weights, which are fetched where they are missing; raises `UserError` where they can't be had."""
        return cls(read_dlib(pretrained_files.path("face_recognition")), device)

    def align(self, images: Iterable[NDArray[np.uint8]]) -> list[Alignment]:
        """How to cut the face out of each image: uint8 RGB [H, W, 3] of one face, 1.5 to 3 times its box."""
        self._finder = self._finder or FaceFinder()
        meshes = (self._finder.mesh(image) for image in images)
        return [None if mesh is None else alignment_of(mesh.points) for mesh in meshes]

    def descriptors(self, images: NDArray[np.uint8], alignments: list[Alignment] | None = None) -> NDArray[np.float32]:
        """uint8 RGB [N, H, W, 3] -> float32 [N, 128], whose Euclidean distances tell persons apart.

        A row is NaN where no face was found. With `alignments`, those of the faces that the images were translated
        from, the translations are cut at the same place.
        """
        alignments = self.align(images) if alignments is None else alignments
        found = np.full((len(images), 128), np.nan, np.float32)
        chips = {i: _cut(images[i], a) for i, a in enumerate(alignments) if a is not None}
        rows = list(chips)
        for start in range(0, len(rows), FACES_AT_ONCE):
            some = rows[start : start + FACES_AT_ONCE]
            found[some] = self._describe(np.stack([chips[i] for i in some]))
        return found

    @torch.inference_mode()
    def _describe(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = torch.from_numpy(chips).to(self.device).permute(0, 3, 1, 2).float()
        return self._network((x - self._mean) / 256).cpu().numpy()

    def close(self) -> None:
        """Free MediaPipe's networks."""
        if self._finder:
            self._finder.close()

    def __enter__(self) -> IdentityNetwork:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def alignment_of(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """How to cut out the face of a mesh [478, 2].

    The shift, turn and scale that bring five of its points closest to dlib's places, by least squares (Umeyama).
    """
    source, target = points[MESH_POINTS].astype(float) @ (1, 1j), CHIP_SIZE * DLIB_POINTS @ (1, 1j)
    centred = source - source.mean()
    turn = np.vdot(centred, target - target.mean()) / np.vdot(centred, centred).real
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _cut(image: NDArray[np.uint8], alignment: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.asarray(cv2.warpAffine(image, alignment, (CHIP_SIZE, CHIP_SIZE), flags=cv2.INTER_LINEAR), np.uint8)
