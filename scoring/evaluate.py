"""`--mode eval`: the numbers a paper would print for checkpoints, on labelled faces they were not trained on."""

from __future__ import annotations

import io
import json
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from checkpointing import tensor_file, training_sets
from checkpointing.default_generator import of_command_line
from checkpointing.foreign_checkpoints import foreign_settings
from checkpointing.trained_generator import faces_that_fit, load_generator, translate_to_all
from common import emotions, whole_files
from common.device import autocast, choose_device, tune
from common.errors import UserError
from common.html_page import render
from common.progress import progress_bar
from common.settings import Settings, UseSettings
from imaging import picture_grid
from imaging.face_geometry import Square
from imaging.image_folder import LabelledImages, read_folder
from imaging.value_range import to_uint8, to_unit
from losses import one_hot
from model import Generator
from scoring import confusion_matrix
from scoring.face_places import FacePlaces
from scoring.features import unit_images
from scoring.image_likeness import peak_signal_noise_ratio, structural_similarity
from scoring.judges import FaceJudge, JudgeOfRealFaces
from scoring.metrics import Scorer, frechet_distance, kernel_inception_distance, score
from scoring.same_person import SamePerson, summary

TEMPLATE = Path(__file__).with_name("evaluate.html")
FACES_AT_ONCE = 16
ENOUGH_FACES = 2048  # for a Fréchet distance of 2048 features
SHOWN = 2  # faces of each emotion in a checkpoint's grid


@dataclass
class Evaluation:
    """What one checkpoint is worth. Confusion matrices: row, the emotion meant; column, what the judge says."""

    name: str
    iteration: int | None
    score: float | None = None  # this, accuracy and confusion: where a judge was asked
    per_emotion: dict[str, dict[str, float]] = field(default_factory=dict)
    translated_accuracy: float | None = None
    translated_confusion: list[list[int]] = field(default_factory=list)
    cycle: dict[str, float] = field(default_factory=dict)
    identity: dict[str, float] = field(default_factory=dict)
    images_per_second: float = 0.0
    judges: dict[str, dict[str, Any]] = field(default_factory=dict)  # by name: what `Opinions.summary` says


class Opinions:
    """What one judge says of all translations: is the wanted emotion named, and does it rise most?"""

    def __init__(self, domains: list[str]) -> None:
        self.domains = domains
        self._right: dict[int, list[np.ndarray]] = defaultdict(list)
        self._rises: dict[int, list[np.ndarray]] = defaultdict(list)

    def add(self, target: int, source: np.ndarray, fake: np.ndarray) -> None:
        """Probabilities [B, domains] of faces and of their translations to domain `target`."""
        self._right[target].append(fake.argmax(axis=1) == target)
        self._rises[target].append((_log_odds(fake) - _log_odds(source)).argmax(axis=1) == target)

    def summary(self) -> dict[str, Any]:
        """Shares in [0, 1], over all and per emotion: named rightly; its log-odds rise most above the source's."""
        shares: dict[str, Any] = {}
        for name, found in (("right", self._right), ("rises most", self._rises)):
            parts = {self.domains[target]: np.concatenate(hits) for target, hits in sorted(found.items())}
            shares[name] = float(np.concatenate(list(parts.values())).mean())
            shares[f"{name} by emotion"] = {domain: float(hits.mean()) for domain, hits in parts.items()}
        return shares


def _log_odds(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


class Evaluator:
    """Held-out faces and the networks that look at them; the real faces are measured once for all checkpoints."""

    def __init__(self, settings: Settings, images: LabelledImages, sizes: tuple[int, int]) -> None:
        tune("off", deterministic=False)  # no TF32 where it says float32
        self.device = choose_device()
        self.amp = settings.speed.amp
        self.foreign = foreign_settings(settings.networks, settings.use.sample_label_dir)
        self.sizes = sizes
        self.domains = images.domains
        self.faces_at_once = faces_that_fit(settings.schedule.batch_size, settings.speed.accumulate, len(self.domains))
        self.files = {
            domain: [p for p, own in zip(images.paths, images.labels, strict=True) if own == label]
            for label, domain in enumerate(images.domains)
        }
        for domain, paths in self.files.items():
            if len(paths) < 2:
                folder = settings.data.image_dir
                raise UserError(f"{folder} holds fewer than two faces of {domain}: a distance needs two")
        # Numbers for a paper: the networks that measure compute in float32, whatever the generator does.
        score = settings.score
        arguments = (score.fid_features, self.domains, score.emotion_model, self.device, torch.float32)
        self.scorer = Scorer("fid" if score.score in ("fid", "none") else "fid*emotion", *arguments)
        everything = [path for paths in self.files.values() for path in paths]
        self.same_person = SamePerson(everything, self.device)
        assert self.scorer.extractor
        self.judge = self.scorer.judge if score.score not in ("fid", "none") else None
        self.second = None if not self.judge or self.judge.sees_squares else _second_judge(self.domains, self.device)
        self.places = FacePlaces(*sizes)
        self.looks_closely = bool(self.second or (self.scorer.judge and self.scorer.judge.sees_squares))
        if self.looks_closely:
            self.places.find(everything)
        self.scorer.places = self.places
        self.distance_name = self.scorer.extractor.distance_name
        self.kernel_name = self.scorer.extractor.kernel_name
        self.reals: dict[str, np.ndarray] = {}
        self._measure_reals()

    def _measure_reals(self) -> None:
        """The real faces: features of each domain, and what the judges say of each."""
        opinions: dict[str, list[np.ndarray]] = defaultdict(list)
        for domain in self.domains:
            measured = []
            for _, x, squares in self._batches([domain]):
                features, found = self._judge(to_unit(x), squares)
                measured.append(features)
                for name, probabilities in found.items():
                    opinions[name].append(probabilities)
                self.same_person.add_reals(to_uint8(x))
            self.reals[domain] = np.concatenate(measured)
        self.real_opinions = {name: np.concatenate(parts) for name, parts in opinions.items()}
        truth = np.repeat(np.arange(len(self.domains)), [len(self.files[d]) for d in self.domains])
        self.real_right = {name: float((p.argmax(1) == truth).mean()) for name, p in self.real_opinions.items()}
        self.real_confusions = {
            name: confusion_matrix.count(truth, p.argmax(1), len(self.domains))
            for name, p in self.real_opinions.items()
        }

    def _judge(self, images: Tensor, squares: list[Square]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Features of images in [0, 1], and what each judge says of them, by its name."""
        features, probabilities = self.scorer.measure(images, squares)
        assert features is not None
        found = {self.judge.name: probabilities} if self.judge and probabilities is not None else {}
        if self.second:
            found[self.second.name] = self.second.judge(images, squares, self.domains)[1]
        return features, found

    def _batches(self, domains: list[str]) -> Iterator[tuple[int, Tensor, list[Square]]]:
        """Label, faces [B, 3, S, S] in [-1, 1] of the given domains, and where a judge is to look at each."""
        for domain in domains:
            paths = self.files[domain]
            for i in range(0, len(paths), FACES_AT_ONCE):
                some = paths[i : i + FACES_AT_ONCE]
                squares = self.places.of(some) if self.looks_closely else []
                yield self.domains.index(domain), unit_images(some, *self.sizes).mul(2).sub(1), squares

    def evaluate(self, path: Path) -> tuple[Evaluation, np.ndarray]:
        """The numbers of generator `path`, and a grid of faces it translated (uint8 RGB)."""
        G = load_generator(path, **self.foreign).network.to(self.device).to(memory_format=torch.channels_last)
        result = Evaluation(path.name.removesuffix("-G.ckpt"), iteration_of(path))
        features: dict[int, list[np.ndarray]] = defaultdict(list)
        guesses: dict[int, list[np.ndarray]] = defaultdict(list)
        cycles, batch_sizes, seconds, made = [], [], 0.0, 0
        compared, number = [], 0
        opinions = {name: Opinions(self.domains) for name in self.real_opinions}
        bar = progress_bar(sum(map(len, self.files.values())), "faces", result.name)
        for source, x, squares in self._batches(self.domains):
            x = x.to(self.device)
            started = time.perf_counter()
            with autocast(self.device, self.amp):
                x_fake = translate_to_all(G, x, len(self.domains), self.faces_at_once)
            seconds += _waited(self.device, started)
            made += x_fake.shape[0] * x_fake.shape[1]
            cycles.append(self._cycle(G, x, x_fake, source))
            batch_sizes.append(len(x))
            for target in range(len(self.domains)):
                if target == source:
                    continue
                seen, found = self._judge(to_unit(x_fake[:, target]), squares)
                features[target].append(seen)
                if self.judge:
                    guesses[target].append(found[self.judge.name])
                for name, probabilities in found.items():
                    before = self.real_opinions[name][number : number + len(x)]
                    opinions[name].add(target, before, probabilities)
                compared.append(self.same_person.compare(number, to_uint8(x_fake[:, target])))
            number += len(x)
            bar.update(len(x))
        bar.close()
        self._sum_up(result, features, guesses)
        result.cycle = {name: float(np.average([c[name] for c in cycles], weights=batch_sizes)) for name in cycles[0]}
        result.identity = summary(np.concatenate(compared))
        result.images_per_second = made / seconds
        result.judges = {name: opinion.summary() for name, opinion in opinions.items()}
        return result, self._grid(G)

    def _cycle(self, G: Generator, x: Tensor, x_fake: Tensor, source: int) -> dict[str, float]:
        """How well faces come back from another emotion to their own: L1, PSNR, SSIM of images in [0, 1]."""
        others = [t for t in range(len(self.domains)) if t != source]
        there = x_fake[:, others].flatten(0, 1)
        back_to = one_hot(torch.full((len(there),), source, device=self.device), len(self.domains))
        at_once = self.faces_at_once * len(self.domains)
        with torch.inference_mode(), autocast(self.device, self.amp):
            parts = zip(there.split(at_once), back_to.split(at_once), strict=True)
            x_rec = to_unit(torch.cat([G(x, c) for x, c in parts]))
        x = to_unit(x).repeat_interleave(len(others), 0)
        return {
            "L1": float(F.l1_loss(x_rec, x)),
            "PSNR": peak_signal_noise_ratio(x_rec, x),
            "SSIM": structural_similarity(x_rec, x),
        }

    def _sum_up(
        self, result: Evaluation, features: dict[int, list[np.ndarray]], guesses: dict[int, list[np.ndarray]]
    ) -> None:
        """Distances, and with a judge confidences and confusion, of all translations."""
        matrix = np.zeros((len(self.domains), len(self.domains)), int)
        parts = result.per_emotion
        for target, domain in enumerate(self.domains):
            seen = np.concatenate(features[target])
            parts[domain] = {  # the one that few faces do not bias comes first
                self.kernel_name: kernel_inception_distance(seen, self.reals[domain]),
                self.distance_name: frechet_distance(seen, self.reals[domain]),
                "n": min(len(seen), len(self.reals[domain])),
            }
            if self.judge:
                p = np.concatenate(guesses[target])
                matrix += confusion_matrix.count(np.full(len(p), target), p.argmax(1), len(self.domains))
                parts[domain]["confidence"] = float(p[:, target].mean())
                parts[domain]["accuracy"] = float((p.argmax(1) == target).mean())
        distances = {domain: part[self.distance_name] for domain, part in parts.items()}
        if self.judge:
            result.score = score(distances, {domain: part["confidence"] for domain, part in parts.items()}).value
            result.translated_confusion = matrix.tolist()
            result.translated_accuracy = confusion_matrix.accuracy(matrix)

    def remarks(self) -> list[str]:
        """What to know of the numbers."""
        remarks = [*self.scorer.remarks, *self.places.remarks()]
        if not self.judge:
            remarks.append("no judge was asked (--score none): distances, cycle and identity only")
        fewest = min(map(len, self.files.values()))
        if fewest < ENOUGH_FACES:
            remarks.append(
                f"{self.distance_name} of {fewest:,} faces an emotion is biased (it needs {ENOUGH_FACES:,}): compare "
                f"it only on the same faces, and look at the {self.kernel_name} first"
            )
        for name, matrix in self.real_confusions.items():
            if doubt := confusion_matrix.doubt(matrix, self.domains):
                remarks.append(f"{name} {doubt} on the real faces: what it says of translated ones means little")
        return remarks

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(self, *_: object) -> None:
        self.same_person.close()

    def _grid(self, G: Generator) -> np.ndarray:
        paths = [path for files in self.files.values() for path in files[:SHOWN]]
        x = unit_images(paths, *self.sizes).mul(2).sub(1)
        with autocast(self.device, self.amp):
            x_fake = translate_to_all(G, x.to(self.device), len(self.domains), self.faces_at_once)
        rows = [[face, *fakes] for face, fakes in zip(to_uint8(x), to_uint8(x_fake), strict=True)]
        return np.asarray(picture_grid.grid(rows, ["original", *self.domains]))


def _second_judge(domains: list[str], device: torch.device) -> FaceJudge | None:
    """The judge of real faces, where it knows these emotions."""
    judge = JudgeOfRealFaces(device)
    try:
        judge.require(domains)
    except UserError:
        return None
    return judge


def iteration_of(path: Path) -> int | None:
    """The iteration of a `-G.ckpt` file: in its name, or (best) in the training state beside it."""
    name = path.name.removesuffix("-G.ckpt")
    if name.isdecimal():
        return int(name)
    state = path.with_name(f"{name}-state.ckpt")
    return int(tensor_file.read(state)["iteration"]) if state.exists() else None


def _waited(device: torch.device, started: float) -> float:
    """Seconds since `started`, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def checkpoints_of(folder: Path, use: UseSettings, given: Collection[str]) -> list[Path]:
    """The generators that `--iters` names, else the one that test mode and export would take."""
    if not use.iters:
        return [of_command_line(folder, use.test_iters, given)]
    names = [str(i) for i in training_sets.iterations(folder)] if use.iters == ("all",) else use.iters
    paths = [training_sets.path_of(folder, training_sets.resolve(folder, name), "G") for name in names]
    if not paths:
        raise UserError(f"{folder} holds no checkpoint: train first, or name another --model_save_dir")
    return paths


def evaluate_checkpoints(settings: Settings) -> int:
    """Evaluate the checkpoints that the flags name; writes eval.json and eval.html; returns the exit code."""
    use, image_dir, result_dir = settings.use, settings.data.image_dir, settings.use.result_dir
    paths = checkpoints_of(settings.saving.model_save_dir, use, settings.given)
    first = load_generator(paths[0], **foreign_settings(settings.networks, use.sample_label_dir))
    faces = held_out(image_dir, first.domains)
    with whole_files.unwritable_reported(f"--result_dir {result_dir}"):  # found out before the measuring
        result_dir.mkdir(parents=True, exist_ok=True)
    with Evaluator(settings, faces, (first.crop_size, first.image_size)) as evaluator:
        found = [evaluator.evaluate(path) for path in paths]
    report = {
        "image_dir": str(image_dir),
        "faces": {domain: len(files) for domain, files in evaluator.files.items()},
        "domains": first.domains,
        "distance": evaluator.distance_name,
        "kernel": evaluator.kernel_name,
        "no_identity": evaluator.same_person.problem,
        "judge": evaluator.judge.name if evaluator.judge else None,
        "real_right": evaluator.real_right,
        "remarks": evaluator.remarks(),
        **real_faces(evaluator),
        "checkpoints": [asdict(evaluation) for evaluation, _ in found],
    }
    with whole_files.unwritable_reported(f"--result_dir {result_dir}"):
        whole_files.write_text(result_dir / "eval.json", json.dumps(report, indent=2, ensure_ascii=False))
        whole_files.write_text(result_dir / "eval.html", page(report, [grid for _, grid in found]))
    print("\n".join(lines(report)))
    print(f"\nin full: {result_dir / 'eval.json'}, to look at: {result_dir / 'eval.html'}")
    return 0


def real_faces(evaluator: Evaluator) -> dict[str, Any]:
    """What the judge says of the real faces; nothing where none was asked."""
    if not evaluator.judge:
        return {"real_accuracy": None, "real_confusion": None}
    matrix = evaluator.real_confusions[evaluator.judge.name]
    return {"real_accuracy": confusion_matrix.accuracy(matrix), "real_confusion": matrix.tolist()}


def held_out(image_dir: Path, domains: list[str]) -> LabelledImages:
    """The faces below `image_dir`, labelled as the checkpoint's `domains` are, whatever words the folders use."""
    images = read_folder(image_dir, len(domains))
    meaning = {emotions.canonical(name) or name: i for i, name in enumerate(domains)}
    labels = [meaning.get(emotions.canonical(name) or name) for name in images.domains]
    if None in labels:
        raise UserError(
            f"{image_dir} holds {', '.join(images.domains)}, but the checkpoint knows {', '.join(domains)}: "
            "name a folder with the same emotions with --image_dir"
        )
    return LabelledImages(domains, images.paths, [labels[label] or 0 for label in images.labels])


def lines(report: dict[str, Any]) -> list[str]:
    """The numbers as text."""
    out = list(report["remarks"])
    for name, right in report["real_right"].items():
        out.append(f"{name} on {sum(report['faces'].values())} real faces: {right:.1%} right")
    for c in report["checkpoints"]:
        scored = "" if c["score"] is None else f"score {c['score']:.4g}, "
        out.append(f"\ncheckpoint {c['name']}: {scored}{c['images_per_second']:.1f} images/s")
        for name, told_by in c["judges"].items():
            out.append(
                f"  {name} on translated faces: {told_by['right']:.1%} right, the wanted emotion rises most in "
                f"{told_by['rises most']:.1%}"
            )
        for domain, parts in c["per_emotion"].items():
            out.append(f"  {domain:12}" + "  ".join(f"{name} {value:.4g}" for name, value in parts.items()))
        out.append("  cycle       " + "  ".join(f"{name} {value:.4g}" for name, value in c["cycle"].items()))
        identities = "  ".join(f"{name} {value:.4g}" for name, value in c["identity"].items())
        out.append("  identity    " + (identities or f"not measured: {report['no_identity'] or 'no face was found'}"))
    return out


def page(report: dict[str, Any], grids: list[np.ndarray]) -> str:
    """eval.html: one file that needs no network, its pictures inside it."""
    names = report["domains"]
    judged = report["judge"] is not None
    matrices = [np.asarray(c["translated_confusion"]) for c in report["checkpoints"] if judged]
    return render(
        TEMPLATE,
        **report,
        grids=[data_url(Image.fromarray(grid)) for grid in grids],
        confusions=[data_url(confusion_matrix.draw(m, names, "Translated faces")) for m in matrices],
        real=data_url(confusion_matrix.draw(np.asarray(report["real_confusion"]), names, "Real faces"))
        if judged
        else "",
        curves=[data_url(curve) for curve in curves(report)],
    )


def curves(report: dict[str, Any]) -> list[Image.Image]:
    """Score and accuracy over the iterations, where more than one checkpoint is compared."""
    compared = sorted((c for c in report["checkpoints"] if c["iteration"] is not None), key=lambda c: c["iteration"])
    if len(compared) < 2:
        return []
    from matplotlib.figure import Figure

    drawn: list[Image.Image] = []
    for title, value in (("score", lambda c: c["score"]), ("judge right", lambda c: c["translated_accuracy"])):
        if value(compared[0]) is None:
            continue
        figure = Figure(figsize=(5, 3), layout="constrained")
        axes = figure.add_subplot(title=title, xlabel="iteration")
        axes.plot([c["iteration"] for c in compared], [value(c) for c in compared], marker="o")
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=110)
        drawn.append(Image.open(file))
    return drawn


def data_url(picture: Image.Image) -> str:
    """A picture as a PNG inside a page."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()
