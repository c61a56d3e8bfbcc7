"""Export mode: the generator as ONNX, for phones, browsers and every other runtime, checked against PyTorch."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from checkpointing.foreign_checkpoints import foreign_settings
from checkpointing.trained_generator import TrainedGenerator, load_generator
from common import whole_files
from common.pretrained_files import sha256
from common.settings import NetworkSettings

TOLERANCE = 1e-3  # largest difference of values in [-1, 1]: an eighth of a grey level


class WrongExport(Exception):
    """The exported file does not compute what the checkpoint does: nobody's mistake but the exporter's."""


def export_onnx(path: Path, networks: NetworkSettings, labels: Path) -> int:
    """Write the generator `path` as `.onnx` beside it; the rest is as in `foreign_settings`. Returns the exit code."""
    export(load_generator(path, **foreign_settings(networks, labels)))
    return 0


def export(trained: TrainedGenerator) -> Path:
    """Write the generator as `.onnx` beside its checkpoint; returns the file.

    Inputs `image` [batch, 3, S, S] in [-1, 1] and one-hot `label` [batch, c_dim], output `translated` like `image`.
    """
    target = trained.path.with_suffix(".onnx")
    print(f"Exporting {trained.path} (about half a minute) ...", flush=True)
    with whole_files.unwritable_reported(str(target)):
        whole_files.write_atomically(target, lambda temporary: _write(trained, temporary))
    print(f"{target}: agrees with PyTorch, {target.stat().st_size / 1e6:.1f} MB")
    return target


def metadata_of(trained: TrainedGenerator) -> dict[str, str]:
    """What the file says of itself: the domains in label order, what it is shown, and the SHA-256 of its checkpoint.

    `faces`, of which `crop_size` is the centre, are "ours" (face squares of this repo) or "published" (the detector's
    box).
    """
    return {
        "domains": ",".join(trained.domains),
        "image_size": str(trained.image_size),
        "crop_size": str(trained.crop_size),
        "faces": "published" if trained.published else "ours",
        "checkpoint": sha256(trained.path),
    }


def _write(trained: TrainedGenerator, path: Path) -> None:
    """Export, add the metadata, check, in that order: what is renamed to its place is right."""
    size = trained.image_size
    x, c = torch.zeros(2, 3, size, size), torch.eye(len(trained.domains))[[0, -1]]
    batch = torch.export.Dim("batch", min=1, max=1024)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            trained.network,
            (x, c),
            dynamo=True,
            verbose=False,
            input_names=["image", "label"],
            output_names=["translated"],
            dynamic_shapes={"x": {0: batch}, "c": {0: batch}},
        )
    assert program is not None
    program.model.metadata_props.update(metadata_of(trained))
    program.save(str(path), external_data=False)
    check(trained, path)


def check(trained: TrainedGenerator, path: Path) -> None:
    """Run the file in OpenVINO on one image and on three; raises `WrongExport` where it differs from PyTorch.

    Not in ONNX Runtime: from 1.32 on it reports every use to its maker.
    """
    from translation.openvino_generator import OpenVinoGenerator

    exported = OpenVinoGenerator(path, "off")
    c_dim, size = len(trained.domains), trained.image_size
    for batch in (1, 3):
        x = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(batch)) * 2 - 1
        c = torch.eye(c_dim)[torch.arange(batch) % c_dim]
        with torch.inference_mode():
            error = float((exported(x, c) - trained.network(x, c)).abs().max())
        if not error <= TOLERANCE:
            raise WrongExport(f"{path} differs from PyTorch by up to {error:.2g}")
