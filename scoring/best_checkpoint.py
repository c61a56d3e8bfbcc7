"""Which checkpoint is best: every `sample_step`, a fixed set of real faces is translated and scored."""

from __future__ import annotations

import argparse
import csv
import itertools
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from common import whole_files
from common.device import autocast, half_precision
from data_loader import without_unreadable
from imaging.image_folder import LabelledImages
from imaging.value_range import to_unit
from scoring.features import stratified, unit_images
from scoring.metrics import Score, Scorer
from training.distributed import Ranks
from training.safeguards import patiently
from translation.translator import translate_to_all

FACES_AT_ONCE = 32  # on a CPU one batch is as fast as another; on a GPU this fills it at 256²


class Selection:
    """Scores generators on a fixed stratified set of faces, keeps `scores.csv`, and knows the best score so far.

    Each process translates and measures its share of the faces; all know the score, and the first one writes it.
    Make it before training starts: missing weights raise `UserError` then, with the ways out.
    """

    def __init__(self, config: argparse.Namespace, images: LabelledImages, device: torch.device, ranks: Ranks) -> None:
        self.domains = images.domains
        self.device = device
        self.ranks = ranks
        self.amp = config.amp
        self.table = Path(config.model_save_dir) / "scores.csv"
        self.best = math.inf
        dtype = torch.bfloat16 if half_precision(device, config.amp) else torch.float32
        self.scorer = Scorer(config.score, config.fid_features, images.domains, config.emotion_model, device, dtype)
        self.images = images
        self.sizes = (config.crop_size, config.image_size)
        self.sample_size = config.fid_sample_size

    def begin(self, start: int, best: float = math.inf) -> None:
        """Go on after iteration `start`: measure the real faces, and forget scores of iterations to be done again."""
        self.best = best
        files = stratified(self.images, self.sample_size)
        readable = without_unreadable(self.images, itertools.chain(*files.values()))
        while len(readable.paths) < len(self.images.paths):
            self.images = readable
            files = stratified(self.images, self.sample_size)
            readable = without_unreadable(self.images, itertools.chain(*files.values()))
        self.scorer.learn_reals(self.images, self.sample_size, *self.sizes, self.table.parent)
        self.sources = {
            domain: unit_images(paths, *self.sizes).mul(2).sub(1) for domain, paths in files.items()
        }  # in [-1, 1], as the generator takes them
        if self.ranks.is_first and self.table.exists():
            with self.table.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))
            self._write([row for row in rows if row[0] == "iteration" or int(row[0]) <= start])

    def score(self, G: nn.Module, i: int) -> tuple[Score, bool]:
        """The score of `G` after iteration `i`, and whether it is the best so far."""
        score = self.scorer(self._translate(G), self.ranks.gather)
        if self.ranks.is_first:
            self._append(i, score.scalars())
        improved = score.value < self.best
        self.best = min(self.best, score.value)
        return score, improved

    def _translate(self, G: nn.Module) -> dict[str, Tensor]:
        """This process's share of the faces of other domains, translated to each: {domain: [n, 3, S, S] in [0, 1]}."""
        rank, world_size = self.ranks.rank, self.ranks.world_size
        none = torch.empty(0, 3, self.sizes[1], self.sizes[1], device=self.device)
        parts: dict[str, list[Tensor]] = {domain: [none] for domain in self.domains}
        for source, faces in self.sources.items():
            own = faces[rank::world_size]
            for x in own.split(FACES_AT_ONCE) if len(own) else ():
                with autocast(self.device, self.amp):
                    x_fake = to_unit(translate_to_all(G, x.to(self.device), len(self.domains)))
                for target, fakes in zip(self.domains, x_fake.unbind(1), strict=True):
                    if target != source:
                        parts[target].append(fakes)
        return {domain: torch.cat(fakes) for domain, fakes in parts.items()}

    def _append(self, i: int, scalars: dict[str, float]) -> None:
        rows: list[list[str]] = []
        if self.table.exists():
            with self.table.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))
        self._write([["iteration", *scalars], *rows[1:], [str(i), *(f"{v:.6g}" for v in scalars.values())]])

    def _write(self, rows: list[list[str]]) -> None:
        def write(temporary: Path) -> None:
            with temporary.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)

        patiently(lambda: whole_files.write_atomically(self.table, write), str(self.table), tqdm.write)
