"""What a run says before its first iteration: what computes, what it learns from, and where everything goes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from checkpointing import run_config
from common.device import device_name, half_precision
from common.settings import PRESETS, NetworkSettings, Settings
from imaging.close_ups import advice_for
from imaging.image_folder import LabelledImages
from training.state import update_step

UNEVEN = 3  # times as many faces of one emotion as of another are worth a word


def start_up_block(
    settings: Settings,
    images: LabelledImages,
    device: torch.device,
    networks: tuple[nn.Module, nn.Module],
    begins_with: str,
    processes: int,
) -> str:
    """The block as lines of text: generator and discriminator are `networks`."""
    precision = "bfloat16" if half_precision(device, settings.speed.amp) else "float32"
    saving, size = settings.saving, settings.networks.image_size
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    rows = {
        "device": f"{device_name(device)}, {precision}" + (f", {processes} processes" if processes > 1 else ""),
        "networks": f"generator {sizes[0]:,} parameters, discriminator {sizes[1]:,}, images {size}x{size}",
        "faces": f"{len(images.paths):,} in {settings.data.image_dir}: {_emotions(images, settings.data.balance)}",
        "models": f"{saving.model_save_dir} (and losses.csv, scores.csv)",
        "samples": f"{saving.sample_dir} (first-batch.jpg: what the networks see)",
        "logs": f"{saving.log_dir} (curves.png{'; TensorBoard' if saving.use_tensorboard else ''})",
    }
    if settings.schedule.init:
        rows["init"] = begins_with
    if preset := settings.start.preset:
        rows["preset"] = f"{preset}: {PRESETS[preset]}"
    lines = [f"{name:10}{text}" for name, text in rows.items()]
    if images.others:
        others = ", ".join(f"{count} {suffix}" for suffix, count in images.others.most_common(5))
        lines.append(f"note: {images.others.total()} files there are no images: {others}")
    return "\n".join(lines + notices(settings, len(images.paths), processes))


def notices(settings: Settings, faces: int, processes: int) -> list[str]:
    """Legal settings that are probably mistakes."""
    found, schedule = [], settings.schedule
    if close_ups := advice_for(settings.data.image_dir, settings.networks.crop_size):
        found.append(f"note: {close_ups}")
    if schedule.num_iters_decay > schedule.num_iters:
        found.append(
            f"note: --num_iters_decay {schedule.num_iters_decay} is above --num_iters {schedule.num_iters}: the "
            "learning rates fall from the first iteration on"
        )
    decay = min(schedule.num_iters_decay, schedule.num_iters)
    if decay and (step := update_step(decay, schedule.lr_update_step)) != schedule.lr_update_step:
        found.append(
            f"note: --lr_update_step {schedule.lr_update_step} is above the {decay} iterations of --num_iters_decay: "
            f"the learning rates change every {step} iterations"
        )
    found += other_pictures(settings.networks, schedule.init)
    if schedule.n_critic > schedule.num_iters:
        found.append(f"note: --n_critic {schedule.n_critic} is above --num_iters {schedule.num_iters}: G never learns")
    if (batch := schedule.batch_size * processes) > faces:
        found.append(f"note: a batch of {batch} is more than the {faces} faces: it holds some of them twice")
    return found


def other_pictures(networks: NetworkSettings, init: Path | None) -> list[str]:
    """What this run shows the generator to start from that it has not learned from."""
    learned = run_config.config_of(init) if init else None
    then = learned["arguments"] if learned else {}
    return [
        f"note: --{flag} {getattr(networks, flag)}, and {init} has learned with {then[flag]}: it sees faces in another "
        "size"
        for flag in ("image_size", "crop_size")
        if then.get(flag, getattr(networks, flag)) != getattr(networks, flag)
    ]


def _emotions(images: LabelledImages, balance: bool) -> str:
    """How many faces each emotion has, and whether that is uneven."""
    counts = {domain: images.labels.count(label) for label, domain in enumerate(images.domains)}
    text = ", ".join(f"{domain} {count:,}" for domain, count in counts.items())
    most, fewest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if balance:
        return f"{text}; every emotion equally often"
    if counts[most] >= UNEVEN * counts[fewest]:
        times = counts[most] / counts[fewest]
        text += f"; {most} {times:.0f} times as often as {fewest} (--balance: equally often)"
    return text
