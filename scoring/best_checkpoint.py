"""Which checkpoint is best: every `sample_step`, a fixed set of real faces is translated and scored."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from checkpointing import run_config
from checkpointing.trained_generator import translate_to_all
from common import whole_files
from common.device import autocast, half_precision
from common.errors import UserError
from common.settings import NetworkSettings, ScoreSettings
from common.whole_files import retry_writing
from data_loader import without_unreadable
from imaging.image_folder import LabelledImages
from imaging.value_range import to_unit
from scoring.features import stratified, unit_images
from scoring.metrics import Score, Scorer
from training.distributed import Ranks

CRITERION = "scores.json"
JUDGE = "judge"  # in it: the name of the judge that a score asked
MEASURES = ("score", "fid_features", "fid_sample_size", "crop_size")  # flags that decide what a score measures


class Selection:
    """Scores generators on a fixed stratified set of faces, keeps `scores.csv`, and knows the best score so far.

    Each process translates and measures its share of the faces; all know the score, and the first one writes it.
    Make it before training starts: missing weights raise `UserError` then, with the ways out.
    """

    def __init__(
        self,
        settings: ScoreSettings,
        networks: NetworkSettings,
        folder: Path,
        images: LabelledImages,
        device: torch.device,
        ranks: Ranks,
        *,
        amp: str = "auto",
        faces_at_once: int = 1,
        resumes: bool = False,
    ) -> None:
        """`folder` is the run's, of which `resumes` goes on; `faces_at_once` is what its memory can translate."""
        self.fewest = 2 if "fid" in settings.score else 1  # real faces of an emotion: a distance needs two
        self._require_enough(images, "")
        self.domains = images.domains
        self.device = device
        self.ranks = ranks
        self.amp = amp
        self.table = folder / "scores.csv"
        self.best = math.inf
        dtype = torch.bfloat16 if half_precision(device, amp) else torch.float32
        self.criterion = {
            "score": settings.score,
            "fid_features": settings.fid_features,
            "fid_sample_size": settings.fid_sample_size,
            "crop_size": networks.crop_size,
        }
        so_far = self._criterion_so_far() if resumes and self.table.exists() else {}
        features = settings.fid_features
        if features == "auto":
            features = so_far.get("fid_features", "auto")
        arguments = features, images.domains, settings.emotion_model, device, dtype, so_far.get(JUDGE)
        self.scorer = Scorer(settings.score, *arguments)
        self.images = images
        self.sizes = (networks.crop_size, networks.image_size)
        self.sample_size = settings.fid_sample_size
        self.faces_at_once = faces_at_once
        judge = self.scorer.judge
        self.criterion["fid_features"] = self.scorer.fid_features
        self.criterion["emotion_model"] = judge.fingerprint if judge else ""
        self._require_same_criterion(so_far)
        self.criterion[JUDGE] = judge.name if judge else ""

    def _require_enough(self, images: LabelledImages, which: str) -> None:
        """Raise `UserError` where an emotion has fewer faces than its score needs."""
        for label, domain in enumerate(images.domains):
            if (count := images.labels.count(label)) < self.fewest:
                raise UserError(
                    f"{domain} has {count} {which}face{'' if count == 1 else 's'}, and its score needs {self.fewest}: "
                    "add faces, leave the emotion out, or choose another --score (emotion needs 1, none needs 0)"
                )

    def _require_same_criterion(self, so_far: dict[str, Any]) -> None:
        """Raise `UserError` where the scores so far measured something else: the best of them would mean nothing."""
        for flag, now in self.criterion.items():
            then = so_far.get(flag, now)
            if then != now:
                change = "was another file" if flag == "emotion_model" else f"was {then}, and is {now} now"
                folder = self.table.parent
                raise UserError(
                    f"the scores in {self.table} cannot be compared with those to come: --{flag} {change}: pass "
                    f"what it was, or move scores.csv and best-*.ckpt out of {folder} to choose the best anew"
                )

    def _criterion_so_far(self) -> dict[str, Any]:
        """What the scores of the table measure; runs before there was a scores.json tell it by their flags."""
        path = self.table.with_name(CRITERION)
        if not path.exists():
            run = run_config.load_config(self.table.parent)
            return {flag: value for flag, value in run["arguments"].items() if flag in MEASURES} if run else {}
        try:
            so_far = json.loads(path.read_text(encoding="utf-8"))
            return {flag: so_far[flag] for flag in (*MEASURES, "emotion_model")} | {JUDGE: so_far.get(JUDGE)}
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged ({error}): restore it, or move it and scores.csv away") from error

    def begin(self, start: int, best: float = math.inf) -> None:
        """Go on after iteration `start`: measure the real faces, and forget scores of iterations to be done again.

        Where `scores.csv` holds no score up to `start`, there is no best one yet, whatever `best` says.
        """
        files = stratified(self.images, self.sample_size)
        readable = without_unreadable(self.images, itertools.chain(*files.values()))
        while len(readable.paths) < len(self.images.paths):
            self._require_enough(readable, "readable ")
            self.images = readable
            files = stratified(self.images, self.sample_size)
            readable = without_unreadable(self.images, itertools.chain(*files.values()))
        self.scorer.learn_reals(self.images, self.sample_size, *self.sizes, self.table.parent)
        if self.scorer.judge:
            self.ranks.say(f"best checkpoint: by {self.scorer.judge.name}")
        for remark in (*self.scorer.remarks, *(self.scorer.places.remarks() if self.scorer.places else ())):
            self.ranks.say(remark)
        rank, world_size = self.ranks.rank, self.ranks.world_size
        squares = {domain: self.scorer.squares_of(paths)[rank::world_size] for domain, paths in files.items()}
        self.squares = {
            target: [square for source, own in squares.items() if source != target for square in own]
            for target in self.domains
        }  # as `_translate` orders the faces
        self.sources = {
            domain: unit_images(paths, *self.sizes).mul(2).sub(1) for domain, paths in files.items()
        }  # in [-1, 1], as the generator takes them
        rows = [row for row in self._rows() if row[0] == "iteration" or int(row[0]) <= start]
        self.best = best if rows[1:] else math.inf
        if self.ranks.is_first:
            if self.table.exists():
                self._write(rows)
            criterion = json.dumps(self.criterion, indent=2) + "\n"
            self._write_file(self.table.with_name(CRITERION), criterion)

    def score(self, G: nn.Module, i: int) -> tuple[Score, bool]:
        """The score of `G` after iteration `i`, and whether it is the best so far."""
        score = self.scorer(self._translate(G), self.squares, self.ranks.gather)
        if self.ranks.is_first:
            self._append(i, score.scalars())
        improved = score.value < self.best
        self.best = min(self.best, score.value)
        return score, improved

    def curve(self) -> list[tuple[int, float]]:
        """Iteration and score of every row of `scores.csv`."""
        return [(int(row[0]), float(row[1])) for row in self._rows()[1:]]

    def _translate(self, G: nn.Module) -> dict[str, Tensor]:
        """This process's share of the faces of other domains, translated to each: {domain: [n, 3, S, S] in [0, 1]}.

        They wait for their measurement in the machine's memory: all together are more than a small GPU holds.
        """
        rank, world_size = self.ranks.rank, self.ranks.world_size
        none = torch.empty(0, 3, self.sizes[1], self.sizes[1])
        parts: dict[str, list[Tensor]] = {domain: [none] for domain in self.domains}
        for source, faces in self.sources.items():
            own = faces[rank::world_size]
            for x in own.split(self.faces_at_once) if len(own) else ():
                with autocast(self.device, self.amp):
                    x_fake = to_unit(translate_to_all(G, x.to(self.device), len(self.domains))).cpu()
                for target, fakes in zip(self.domains, x_fake.unbind(1), strict=True):
                    if target != source:
                        parts[target].append(fakes)
        return {domain: torch.cat(fakes) for domain, fakes in parts.items()}

    def _append(self, i: int, scalars: dict[str, float]) -> None:
        rows = self._rows()[1:]
        self._write([["iteration", *scalars], *rows, [str(i), *(f"{v:.6g}" for v in scalars.values())]])

    def _rows(self) -> list[list[str]]:
        """The header and the scores so far."""
        if not self.table.exists():
            return []
        with self.table.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def _write(self, rows: list[list[str]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._write_file(self.table, text.getvalue())

    def _write_file(self, path: Path, text: str) -> None:
        retry_writing(lambda: whole_files.write_text(path, text), str(path), tqdm.write)
