"""The judge of a judge file: the published `enet_b2_7.pt`, or one that `emotion_recognition.py train` made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common import emotions
from common.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from checkpointing.judge_file import Judge

WAYS_OUT = (
    "or train your own judge with `python emotion_recognition.py train` and name it with --emotion_model, "
    "or do without one: --score none (--score fid needs Inception only)"
)


def meaning(name: str) -> str:
    """The one word a class, folder or emotion name is compared by: `Anger`, `anger` and `분노` all mean `angry`."""
    return emotions.canonical(name) or emotions.fold(name)


class EmotionRecognizer:
    """The judge on a device. Images are [B, 3, H, W] RGB in [0, 1], of any size, on any device.

    `dtype` is what the network computes in; bfloat16 halves the time on hardware that has it and moves a probability
    by about 0.01. `images_at_once` suits a live picture where it is 1. Results are float32 on `device`.
    """

    def __init__(
        self,
        judge: Judge,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
        images_at_once: int | None = None,
    ) -> None:
        import torch

        from common import frozen_network

        self.judge = judge
        self.device = torch.device(device)
        self.dtype = dtype or torch.float32
        self._mean = torch.tensor(judge.mean, device=self.device).view(3, 1, 1)
        self._std = torch.tensor(judge.std, device=self.device).view(3, 1, 1)
        whole = frozen_network.FeaturesAndLogits(build_network(judge))
        self._network = frozen_network.FrozenNetwork(whole, judge.image_size, self.device, self.dtype, images_at_once)
        self._output_of = {meaning(name): i for i, name in enumerate(judge.classes)}

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
        images_at_once: int | None = None,
    ) -> EmotionRecognizer:
        """The judge in `path` (either kind), or the published one, which is fetched where it is missing.

        Raises `UserError`, with the ways out, where there is none.
        """
        from checkpointing.judge_file import load_judge

        return cls(load_judge(Path(path) if path else _published_file()), device, dtype, images_at_once)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights: names them in caches."""
        import hashlib

        digest = hashlib.sha256(repr((self.judge.arch, self.judge.classes, self.judge.image_size)).encode())
        for name, tensor in sorted(self.judge.state_dict.items()):
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def outputs_of(self, names: Sequence[str]) -> list[int]:
        """The network's output for each emotion, found by what the names mean; raises `UserError` for a stranger."""
        strangers = [name for name in names if meaning(name) not in self._output_of]
        if strangers:
            raise UserError(
                f"the judge does not know {', '.join(strangers)} (it knows {', '.join(self.judge.classes)}): "
                "train one on your own folders with `python emotion_recognition.py train`"
            )
        return [self._output_of[meaning(name)] for name in names]

    def features(self, images: Tensor) -> Tensor:
        """The input of the last layer, [B, d] float32."""
        return self._run(images)[0]

    def probabilities(self, images: Tensor, names: Sequence[str]) -> Tensor:
        """How probable each of the emotions `names` is if it is one of them: [B, len(names)], rows sum to 1."""
        return self.features_and_probabilities(images, names)[1]

    def features_and_probabilities(self, images: Tensor, names: Sequence[str]) -> tuple[Tensor, Tensor]:
        """`features` and `probabilities` from one pass."""
        outputs = self.outputs_of(names)
        features, logits = self._run(images)
        return features, logits[:, outputs].softmax(dim=1)

    def _run(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, d] and logits [B, classes] of the images."""
        from common import frozen_network

        frozen_network.check_unit_images(images)
        features, logits = self._network(images, self._input)
        return features, logits

    def _input(self, batch: Tensor) -> Tensor:
        """[0, 1] images of any size as the network wants them."""
        import torch

        side = self.judge.image_size
        if batch.shape[-2:] != (side, side):
            batch = torch.nn.functional.interpolate(batch, (side, side), mode="bilinear", antialias=True)
        return (batch - self._mean) / self._std


def build_network(judge: Judge) -> torch.nn.Module:
    """The judge's timm network with its weights; raises `UserError` where they do not fit."""
    import timm

    if not timm.is_model(judge.arch):  # create_model would fetch `hf-hub:…` from the network
        raise UserError(
            f"the judge names its network {judge.arch!r}, which timm does not have: give another --emotion_model"
        )
    try:
        network = timm.create_model(judge.arch, pretrained=False, num_classes=len(judge.classes))
        network.load_state_dict(judge.state_dict)
    except RuntimeError as error:
        first = str(error).splitlines()[:2]
        raise UserError(f"the judge file does not fit timm's {judge.arch} ({' '.join(first)}): give another") from error
    return network


def _published_file() -> Path:
    from common import pretrained_files

    try:
        return pretrained_files.path("enet_b2_7")
    except UserError as error:
        raise UserError(f"{error}; {WAYS_OUT}") from error
