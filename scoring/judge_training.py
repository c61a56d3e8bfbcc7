"""Train an emotion judge on labelled faces: the StarGAN paper's way to measure translated expressions.

The judge will see what a generator made, so it trains on faces that are shifted, turned, blurred, noisy and lit in
other ways than the photos were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, load_judge, save_judge
from common.device import autocast, choose_device
from common.errors import UserError
from common.progress import progress_bar, tracked
from common.settings import JudgeSettings
from common.whole_files import write_atomically
from imaging.face_crop import load_crop
from imaging.image_folder import LabelledImages, find_domains, read_folder
from scoring import confusion_matrix

VALIDATION_SHARE = 0.15  # share of each emotion's faces
IN_MEMORY = 2 << 30  # bytes of decoded faces that are kept rather than read again every epoch
LABEL_SMOOTHING = 0.1  # keeps the judge from being sure of everything, and the score from being blind


@dataclass(frozen=True)
class Validation:
    """How the judge does on faces it did not train on."""

    loss: float
    matrix: np.ndarray  # confusion

    @property
    def accuracy(self) -> float:
        return confusion_matrix.accuracy(self.matrix)


class JudgeFaces(Dataset):
    """Face crops as uint8 [B, 3, S, S] with labels [B], a batch at a time; kept in memory where there are few."""

    def __init__(self, images: LabelledImages, indices: np.ndarray, crop_size: int, image_size: int) -> None:
        self.paths = [images.paths[i] for i in indices]
        self.labels = torch.tensor([images.labels[i] for i in indices])
        self.crop_size = crop_size
        self.image_size = image_size
        self.kept: Tensor | None = None
        if len(self.paths) * 3 * image_size**2 <= IN_MEMORY:
            with ThreadPoolExecutor() as pool:
                with progress_bar(len(self.paths), "faces", "reading") as progress:
                    kept = []
                    for face in pool.map(self._read, self.paths):
                        kept.append(face)
                        progress.update()
                self.kept = torch.stack(kept)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitems__(self, places: list[int]) -> tuple[Tensor, Tensor]:
        if self.kept is not None:
            return self.kept[places], self.labels[places]
        return torch.stack([self._read(self.paths[i]) for i in places]), self.labels[places]

    def _read(self, path: str) -> Tensor:
        return torch.tensor(np.asarray(load_crop(path, self.crop_size, self.image_size))).permute(2, 0, 1)

    def batches(self, batch_size: int, train: bool) -> DataLoader:
        """The faces in batches, to train shuffled and in whole batches (a batch norm fails on a single face).

        Worker processes help only where pictures are read.
        """
        workers = 0 if self.kept is not None else max(1, min(8, torch.get_num_threads()))
        size = min(batch_size, len(self))
        return DataLoader(self, size, shuffle=train, drop_last=train, num_workers=workers, collate_fn=_as_it_is)


def _as_it_is(batch: Any) -> Any:
    return batch


def split(labels: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices for training and for validation, `VALIDATION_SHARE` of every class (at least one face of each)."""
    rng = np.random.default_rng(seed)
    train, validation = [], []
    for label in sorted(set(labels)):
        members = rng.permutation(np.flatnonzero(np.asarray(labels) == label))
        if len(members) < 2:
            raise UserError("every emotion folder needs at least two faces: one to train on, one to validate on")
        held = max(1, round(VALIDATION_SHARE * len(members)))
        validation.append(members[:held])
        train.append(members[held:])
    return np.concatenate(train), np.concatenate(validation)


def distort(x: Tensor) -> Tensor:
    """JudgeFaces [B, 3, S, S] in [0, 1], each flipped, moved, turned, scaled, relit, blurred and grained by chance."""
    n = len(x)

    def chance(low: float, high: float) -> Tensor:
        return torch.empty(n, device=x.device).uniform_(low, high)

    turn, scale = chance(-0.15, 0.15), chance(0.9, 1.1)  # radians, factor
    cos, sin = scale * turn.cos(), scale * turn.sin()
    flip = torch.where(chance(0, 1) < 0.5, -1.0, 1.0)
    across, down = chance(-0.12, 0.12), chance(-0.12, 0.12)  # half sides
    moves = torch.stack([torch.stack([cos * flip, -sin, across], 1), torch.stack([sin * flip, cos, down], 1)], 1)
    grid = F.affine_grid(moves, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)

    blurred = _blur(x, float(torch.empty(()).uniform_(0.35, 0.9)))
    x = torch.lerp(x, blurred, chance(-0.3, 1.0).clamp_min(0).view(n, 1, 1, 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * chance(0.7, 1.3).view(n, 1, 1, 1)  # contrast
    x = x * chance(0.75, 1.3).view(n, 1, 1, 1) + (torch.rand(n, 3, 1, 1, device=x.device) - 0.5) * 0.1  # light, tint
    return (x + torch.randn_like(x) * chance(0, 0.05).view(n, 1, 1, 1)).clamp(0, 1)


def _blur(x: Tensor, share: float) -> Tensor:
    """`x` shrunk to `share` of its side and back, as soft as a generator's output."""
    small = max(8, round(share * x.shape[-1]))
    shrunk = F.interpolate(x, (small, small), mode="bilinear", antialias=True)
    return F.interpolate(shrunk, x.shape[-2:], mode="bicubic")


def new_network(settings: JudgeSettings, classes: list[str]) -> tuple[str, nn.Module]:
    """timm's name of the network and the network, from `--pretrained` where given; the head is always new."""
    judge = load_judge(settings.pretrained) if settings.pretrained else None
    arch = judge.arch if judge else settings.arch
    if not timm.is_model(arch):
        raise UserError(f"timm has no network --arch {arch}: see timm.list_models('*efficientnet*')")
    network = timm.create_model(arch, num_classes=len(classes))
    if judge:
        body = {k: v for k, v in judge.state_dict.items() if not k.startswith("classifier.")}
        network.load_state_dict(body, strict=False)
    return arch, network


def train(settings: JudgeSettings) -> Validation:
    """Train, print accuracy and confusion matrix, write the judge and the drawn matrix beside it."""
    if settings.output.suffix not in (".pt", ".pth"):
        raise UserError(f"--output {settings.output} must end in .pt: it is a PyTorch file")
    torch.manual_seed(settings.seed)
    device = choose_device()
    images = read_folder(settings.image_dir, len(find_domains(settings.image_dir)))
    if len(images.domains) < 2:
        raise UserError(f"{settings.image_dir} needs at least two emotion folders to tell apart")
    arch, network = new_network(settings, images.domains)
    network = network.to(device).to(memory_format=torch.channels_last)
    learn, check = (
        JudgeFaces(images, i, settings.crop_size, settings.image_size) for i in split(images.labels, settings.seed)
    )
    print(f"{len(learn)} faces to train on, {len(check)} to validate on: {', '.join(images.domains)}", flush=True)

    best: Validation | None = None
    best_weights: dict[str, Tensor] = {}
    try:
        for epoch, validation in enumerate(_epochs(network, learn, check, settings, device), 1):
            if best is None or (validation.accuracy, -validation.loss) > (best.accuracy, -best.loss):
                best, since = validation, epoch
                best_weights = {k: v.detach().cpu().clone() for k, v in network.state_dict().items()}
            elif epoch - since >= settings.patience:
                print(f"no better for {settings.patience} epochs: stopped")
                break
    except KeyboardInterrupt:
        if best is None:
            raise
        print(f"stopped: the judge of epoch {since} is kept, the best so far")
    assert best is not None
    save_judge(
        settings.output,
        Judge(
            arch, tuple(images.domains), settings.image_size, IMAGENET_MEAN, IMAGENET_STD, best.accuracy, best_weights
        ),
    )
    tell(best, images.domains, settings.output)
    return best


def _epochs(
    network: nn.Module, learn: JudgeFaces, check: JudgeFaces, settings: JudgeSettings, device: torch.device
) -> Iterator[Validation]:
    """Train one epoch after another; yields the validation after each."""
    mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    batches = learn.batches(settings.batch_size, train=True)
    optimizer = torch.optim.AdamW(network.parameters(), settings.lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=settings.epochs * len(batches), pct_start=0.2
    )

    def logits_of(x: Tensor) -> Tensor:
        with autocast(device, "auto" if device.type == "cuda" else "off"):  # small batches gain nothing on a CPU
            return network(((x - mean) / std).contiguous(memory_format=torch.channels_last)).float()

    start = time.perf_counter()
    for epoch in range(1, settings.epochs + 1):
        network.train()
        total = 0.0
        for x, y in tracked(batches, "batches", f"epoch {epoch}", leave=False):
            logits = logits_of(distort(x.to(device).float().div(255)))
            loss = F.cross_entropy(logits, y.to(device), label_smoothing=LABEL_SMOOTHING)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        network.eval()
        with torch.inference_mode():
            validation = _validate(logits_of, check, settings.batch_size, device)
        spent = time.perf_counter() - start
        left = spent / epoch * (settings.epochs - epoch)
        print(
            f"epoch {epoch}/{settings.epochs}  loss {total / len(batches):.3f}  "
            f"validation loss {validation.loss:.3f}  accuracy {validation.accuracy:.1%}  "
            f"{spent:.0f} s, {left:.0f} s left",
            flush=True,
        )
        yield validation


def _validate(
    logits_of: Callable[[Tensor], Tensor], check: JudgeFaces, batch_size: int, device: torch.device
) -> Validation:
    """Loss and confusion on faces as they are, without augmentation."""
    logits, labels = [], []
    for x, y in check.batches(batch_size, train=False):
        logits.append(logits_of(x.to(device).float().div(255)).cpu())
        labels.append(y)
    answer, truth = torch.cat(logits), torch.cat(labels)
    loss = F.cross_entropy(answer, truth).item()
    return Validation(loss, confusion_matrix.count(truth.numpy(), answer.argmax(1).numpy(), answer.shape[1]))


def tell(validation: Validation, classes: list[str], output: Path) -> None:
    """Print the validation and draw its confusion matrix beside `output`."""
    print("\nvalidation faces (row: what the face shows, column: what the judge says)")
    print(confusion_matrix.table(validation.matrix, classes))
    picture = output.with_suffix(".png")
    if doubt := confusion_matrix.doubt(validation.matrix, classes):
        print(f"warning: this judge {doubt}: it can measure nothing; train longer, or on more faces")
    drawing = confusion_matrix.draw(validation.matrix, classes, f"validation accuracy {validation.accuracy:.1%}")
    write_atomically(picture, lambda temporary: drawing.save(temporary, "PNG"))
    print(f"accuracy {validation.accuracy:.2%}; judge written to {output}, confusion matrix to {picture}")
