"""What images look like to a network: Inception's features or the judge's, and those of real faces, kept on disk."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from checkpointing import tensor_file
from common import frozen_network, pretrained_files
from common.errors import UserError
from common.progress import progress_bar
from common.whole_files import unwritable_reported, write_atomically
from imaging.face_crop import load_crop
from imaging.face_geometry import Square
from imaging.image_folder import LabelledImages
from scoring.face_places import FacePlaces
from scoring.judges import FaceJudge

READ_AT_ONCE = 64  # real faces
INCEPTION_SIZE = (299, 299)  # pixels


class FeatureExtractor(Protocol):
    """Images to features. `distance_name` is what the Fréchet distance on them may be called."""

    distance_name: str
    kernel_name: str
    fingerprint: str  # hash of the weights and of how they are used, for caches

    def __call__(self, images: Tensor, squares: Sequence[Square] = ()) -> np.ndarray:
        """[B, 3, H, W] RGB in [0, 1], any size, and where faces lie in them -> float32 [B, d]."""
        ...


class InceptionFeatures:
    """pool3 of pytorch-fid's InceptionV3 [B, 2048], fed as pytorch-fid feeds it (bilinear to 299, [-1, 1])."""

    distance_name = "FID"
    kernel_name = "KID"

    def __init__(
        self,
        path: Path | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`path`: the FID weights, else fetched where missing. `dtype`: bfloat16 for speed, float32 for a paper.

        Raises `UserError`, with the ways out, where the weights can't be had.
        """
        file = path or _inception_file()
        self.fingerprint = f"inception {pretrained_files.sha256(file)} {dtype}"
        network = _pytorch_fid_network(file)
        self._network = frozen_network.FrozenNetwork(network, INCEPTION_SIZE[0], torch.device(device), dtype)

    def __call__(self, images: Tensor, squares: Sequence[Square] = ()) -> np.ndarray:
        """[B, 3, H, W] RGB in [0, 1], any size -> float32 [B, 2048]; it sees the whole image."""
        frozen_network.check_unit_images(images)
        (features,) = self._network(images, self._input)
        return features.flatten(1).float().cpu().numpy()

    @staticmethod
    def _input(batch: Tensor) -> Tensor:
        x = torch.nn.functional.interpolate(batch, INCEPTION_SIZE, mode="bilinear", align_corners=False)
        return 2 * x - 1


class EmotionFeatures:
    """The judge's own features: for where Inception's weights can't be had, and for faces unlike photos."""

    distance_name = "Fréchet distance (emotion features)"
    kernel_name = "Kernel distance (emotion features)"

    def __init__(self, judge: FaceJudge) -> None:
        self.judge = judge
        self.fingerprint = f"emotion {judge.fingerprint} {judge.dtype}"

    def __call__(self, images: Tensor, squares: Sequence[Square] = ()) -> np.ndarray:
        """[B, 3, H, W] RGB in [0, 1], any size, and where faces lie in them -> float32 [B, d]."""
        return self.judge.judge(images, squares, ())[0]


def _inception_file() -> Path:
    try:
        return pretrained_files.path("inception")
    except UserError as error:
        raise UserError(
            f"{error}; or do without Inception: --fid_features emotion (the judge's features), or --score emotion|none"
        ) from error


def _pytorch_fid_network(file: Path) -> torch.nn.Module:
    """pytorch-fid's network with the weights of `file`, which its own code finds where torch keeps what it fetched."""
    from pytorch_fid import inception

    usual = torch.hub.get_dir()
    try:
        tensor_file.read(file)  # nothing but tensors: torch.hub would run what else lies in it
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder, "checkpoints", Path(inception.FID_WEIGHTS_URL).name)
            kept.parent.mkdir()
            kept.symlink_to(file.resolve())
            torch.hub.set_dir(folder)
            # Resized and normalised here, in float32, before the images take the network's precision.
            return inception.InceptionV3(resize_input=False, normalize_input=False)
    except Exception as error:
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"{file} does not hold pytorch-fid's Inception weights ({reason}): fetch it again") from error
    finally:
        torch.hub.set_dir(usual)


# --- Real faces -----------------------------------------------------------------------------------------------


def stratified(images: LabelledImages, sample_size: int, seed: int = 0) -> dict[str, list[str]]:
    """Up to `sample_size` files, as many of every domain as there are of each, the same for one seed."""
    rng = np.random.default_rng(seed)
    labels = np.asarray(images.labels)
    share = max(2, sample_size // len(images.domains))
    chosen = {}
    for label, domain in enumerate(images.domains):
        members = np.flatnonzero(labels == label)
        picked = np.sort(rng.choice(members, min(share, len(members)), replace=False))
        chosen[domain] = [images.paths[i] for i in picked]
    return chosen


def real_features(
    files: Mapping[str, Sequence[str]],
    extractor: FeatureExtractor,
    crop_size: int,
    image_size: int,
    cache_dir: Path,
    places: FacePlaces | None = None,
) -> dict[str, np.ndarray]:
    """Features [n, d] of each domain's real faces, cropped and resized as the generator sees them.

    Computed once: kept in `cache_dir` under a key of the files (name, size, time of change), the settings and the
    weights.
    """
    key = _key(files, extractor, crop_size, image_size)
    kept = cache_dir / f"real-features-{key}.npz"
    if kept.is_file():
        with np.load(kept) as content:
            return {domain: content[str(i)] for i, domain in enumerate(files)}
    found = {}
    with progress_bar(sum(map(len, files.values())), "real faces") as progress:
        for domain, paths in files.items():
            parts = []
            for i in range(0, len(paths), READ_AT_ONCE):
                some = paths[i : i + READ_AT_ONCE]
                squares = places.of(some) if places else ()
                parts.append(extractor(unit_images(some, crop_size, image_size), squares))
                progress.update(len(parts[-1]))
            found[domain] = np.concatenate(parts)
    # Numbered, because a folder's name may hold what a name in a zip may not.
    numbered = {str(i): features for i, features in enumerate(found.values())}
    with unwritable_reported(str(kept)):
        write_atomically(kept, lambda temporary: _save(temporary, numbered))
    return found


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:  # given a name, numpy would add a suffix to it
        np.savez(file, **arrays)  # type: ignore[arg-type]


def unit_images(paths: Sequence[str], crop_size: int, image_size: int) -> Tensor:
    """Face crops as the generator sees them, [B, 3, S, S] in [0, 1]."""
    pixels = np.stack([np.asarray(load_crop(path, crop_size, image_size)) for path in paths])
    return torch.tensor(pixels).permute(0, 3, 1, 2).float().div(255)


def _key(files: Mapping[str, Sequence[str]], extractor: FeatureExtractor, crop_size: int, image_size: int) -> str:
    described = []
    for domain, paths in files.items():
        stats = [(path, Path(path).stat()) for path in paths]
        described.append([domain, [[path, s.st_size, s.st_mtime_ns] for path, s in stats]])
    everything = json.dumps([described, crop_size, image_size, extractor.fingerprint])
    return hashlib.sha256(everything.encode()).hexdigest()[:16]
