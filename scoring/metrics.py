"""How good translated faces are: distances between feature sets, and the score that chooses the best checkpoint.

Per domain, translated faces of an emotion are compared with real faces of that emotion (stargan-v2's protocol).
Inception's features give the FID and the KID; any other network's give a "Fréchet distance (… features)", never an FID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from common.errors import UserError
from imaging.face_geometry import Square
from imaging.image_folder import LabelledImages
from scoring.face_places import FacePlaces
from scoring.features import EmotionFeatures, FeatureExtractor, InceptionFeatures, real_features, stratified
from scoring.judges import FaceJudge, choose_judge

# --- Distances between two sets of features -------------------------------------------------------------------


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Fréchet distance between the Gaussians fitted to features [n, d] and [m, d]; 0 or more (arXiv 1706.08500).

    tr √(ΣₐΣ_b) is the nuclear norm of A Bᵀ, A and B being the centred features over √(n−1) and √(m−1): the singular
    values of an n×m matrix where samples are few, exact, instead of the square root of a d×d one. Where samples are
    many, QR first brings A and B down to d rows without changing AᵀA.
    """
    mean_a, a = _centred(features_a)
    mean_b, b = _centred(features_b)
    if len(mean_a) != len(mean_b):
        raise ValueError(f"features of {len(mean_a)} and of {len(mean_b)} dimensions can't be compared")
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    distance = np.sum((mean_a - mean_b) ** 2) + np.sum(a**2) + np.sum(b**2) - 2 * overlap
    return max(0.0, float(distance))  # rounding may fall just below


def _centred(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [d], and a matrix with at most d rows whose Gram matrix is the features' covariance; float64."""
    x = _as_features(features)
    mean = x.mean(0)
    root = (x - mean) / np.sqrt(len(x) - 1)
    return mean, np.asarray(np.linalg.qr(root, mode="r")) if len(root) > root.shape[1] else root


def kernel_inception_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Squared maximum mean discrepancy of features [n, d] and [m, d] under the kernel (x·y/d + 1)³ (arXiv 1801.01401).

    Unbiased, so it may fall below 0, and fit for few samples, where FID is not. The estimate over all pairs: the mean
    over random subsets, as in the paper, estimates the same with more noise.
    """
    a, b = _as_features(features_a), _as_features(features_b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"features of {a.shape[1]} and of {b.shape[1]} dimensions can't be compared")

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def mean_of_pairs(x: np.ndarray) -> float:
        among = kernel(x, x)
        return (among.sum() - np.trace(among)) / (len(x) * (len(x) - 1))

    return float(mean_of_pairs(a) + mean_of_pairs(b) - 2 * kernel(a, b).mean())


def _as_features(features: np.ndarray) -> np.ndarray:
    x = np.asarray(features, np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"a distance needs features [n, d] of at least two images, not {list(x.shape)}")
    if not np.isfinite(x).all():
        raise ValueError("features hold NaN or infinite values: the network that made the images has diverged")
    return x


# --- The score ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DomainScore:
    """One emotion's part of the score; a part that was not asked for is None."""

    distance: float | None  # Fréchet distance of the translated to the real faces of this emotion
    confidence: float | None  # mean probability the judge gives this emotion, 0 to 1

    @property
    def value(self) -> float:
        """distance × (1 − confidence), or the one of them that is known."""
        distance = 1.0 if self.distance is None else self.distance
        doubt = 1.0 if self.confidence is None else 1.0 - self.confidence
        return distance * doubt


@dataclass(frozen=True)
class Score:
    """How good a generator is; lower is better. `distance_name` is what its distances may be called."""

    domains: dict[str, DomainScore]
    distance_name: str

    @property
    def value(self) -> float:
        """The sum over the domains."""
        return sum(part.value for part in self.domains.values())

    def scalars(self) -> dict[str, float]:
        """Everything by name, for TensorBoard and `scores.csv`: score, <distance>/<domain>, confidence/<domain>."""
        scalars = {"score": self.value}
        for domain, part in self.domains.items():
            if part.distance is not None:
                scalars[f"{self.distance_name}/{domain}"] = part.distance
            if part.confidence is not None:
                scalars[f"confidence/{domain}"] = part.confidence
        return scalars


def score(
    distances: Mapping[str, float] | None, confidences: Mapping[str, float] | None, distance_name: str = "FID"
) -> Score:
    """Σ_d distance_d × (1 − confidence_d); with None for what `--score` leaves out."""
    known_distances, known_confidences = distances or {}, confidences or {}
    domains = list(known_distances or known_confidences)
    return Score({d: DomainScore(known_distances.get(d), known_confidences.get(d)) for d in domains}, distance_name)


def _require(judge: FaceJudge, domains: list[str]) -> None:
    try:
        judge.require(domains)
    except UserError as error:
        raise UserError(f"{error}, or do without a judge: --score none") from error


class Scorer:
    """Scores translated faces of `domains`. Make it before training: weights that are missing are found out then.

    `kind` is fid*emotion, fid or emotion; `fid_features` inception, emotion, or auto, which becomes inception where its
    weights can be had. `choose_judge` chooses the judge. Raises `UserError`, with the ways out, for missing weights and
    for a domain the judge does not know.
    """

    def __init__(
        self,
        kind: str,
        fid_features: str,
        domains: list[str],
        emotion_model: Path | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        remembered: str | None = None,
    ) -> None:
        self.domains = domains
        self.fid_features = fid_features
        self.remarks: list[str] = []
        self.extractor: FeatureExtractor | None = None
        self._names_emotions = "emotion" in kind
        if "fid" in kind and fid_features != "emotion":
            self.extractor = self._inception(device, dtype)
            self.fid_features = "inception" if self.extractor else "emotion"
        by_judge = "fid" in kind and not self.extractor
        self.judge: FaceJudge | None = None
        if self._names_emotions or by_judge:
            self.judge = choose_judge(emotion_model, device, dtype, remembered)
            if self._names_emotions:
                _require(self.judge, domains)
            if self.judge.doubt:
                self.remarks.append(self.judge.doubt)
            if by_judge:
                self.extractor = EmotionFeatures(self.judge)
        self.places: FacePlaces | None = None
        self.reals: dict[str, np.ndarray] = {}

    def _inception(self, device: torch.device | str, dtype: torch.dtype) -> InceptionFeatures | None:
        try:
            return InceptionFeatures(None, device, dtype)
        except UserError as error:
            if self.fid_features == "inception":
                raise
            self.remarks.append(f"no FID, but a Fréchet distance of the judge's features: {error}")
            return None

    def find_faces(self, files: Iterable[str], crop_size: int, image_size: int) -> None:
        """Where the faces of these files lie, for a judge that wants to know."""
        if self.judge and self.judge.sees_squares:
            self.places = self.places or FacePlaces(crop_size, image_size)
            self.places.find(files)

    def squares_of(self, files: Sequence[str]) -> list[Square]:
        """Where the judge is to look; nothing for one that sees whole images."""
        return self.places.of(files) if self.places else []

    def learn_reals(
        self, images: LabelledImages, sample_size: int, crop_size: int, image_size: int, cache_dir: Path
    ) -> None:
        """Measure `sample_size` stratified real faces, or take them from the cache."""
        files = stratified(images, sample_size)
        self.find_faces(chain(*files.values()), crop_size, image_size)
        if self.extractor:
            self.reals = real_features(files, self.extractor, crop_size, image_size, cache_dir, self.places)

    def __call__(
        self,
        fakes: Mapping[str, Tensor],
        squares: Mapping[str, Sequence[Square]] | None = None,
        gather: Callable[[Tensor], Tensor] = lambda rows: rows,
    ) -> Score:
        """Score faces translated to each domain: {domain: [n, 3, H, W] in [0, 1]}, n at least 2.

        `squares` of each come from `squares_of` their sources. `gather` joins the rows of what each process measured on
        its share of the faces.
        """
        distances, confidences = {}, {}
        for i, domain in enumerate(self.domains):
            features, probabilities = self.measure(fakes[domain], squares[domain] if squares else ())
            if features is not None:
                distances[domain] = frechet_distance(gather(torch.from_numpy(features)).numpy(), self.reals[domain])
            if probabilities is not None:
                confidences[domain] = float(gather(torch.from_numpy(probabilities[:, i])).mean())
        name = self.extractor.distance_name if self.extractor else ""
        return score(distances or None, confidences or None, name)

    def measure(self, images: Tensor, squares: Sequence[Square] = ()) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Features and probabilities, from one pass where both are the judge's."""
        features = probabilities = None
        if self.judge and self._names_emotions:
            features, probabilities = self.judge.judge(images, squares, self.domains)
        if not isinstance(self.extractor, EmotionFeatures) or features is None:
            features = self.extractor(images, squares) if self.extractor else None
        return features, probabilities
