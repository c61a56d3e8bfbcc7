"""Test mode: every photo of a folder, translated to every emotion, into a folder of results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image
from tqdm import tqdm

import checkpoint
import pictures
from errors import UserError
from image_folder import find_domains, find_images
from photo import UnreadablePhoto, read_photo
from translate import NoFace, Translation, Translator


def translate_folder(config: argparse.Namespace, given: set[str]) -> int:
    """Translate every photo of `config.image_path`, into `config.result_dir`; returns the exit code.

    `given` are the flags that stood on the command line: those that contradict the checkpoint are refused.
    0 when a photo gave a result, 1 when none did.
    """
    source = Path(config.image_path)
    photos = find_photos(source)
    result_dir = Path(config.result_dir)
    left_out: list[str] = []
    with load_translator(config, given) as translator:
        result_dir.mkdir(parents=True, exist_ok=True)
        for path in tqdm(photos, unit="photo", disable=not sys.stderr.isatty()):
            try:
                translation = translator.translate(read_photo(path))
            except (UnreadablePhoto, NoFace) as reason:
                left_out.append(f"{path}: {reason}")
                continue
            save(translation, result_dir, Path(path).stem)
    print(f"{len(photos) - len(left_out)} of {len(photos)} photos translated, in {result_dir}")
    for line in left_out:
        print(f"  left out {line}")
    return 0 if len(left_out) < len(photos) else 1


def find_photos(source: Path) -> list[str]:
    """The photo `source`, or the photos below that folder."""
    if source.is_file():
        return [str(source)]
    if not source.is_dir():
        raise UserError(f"there is no photo or folder {source}: name one with --image_path")
    photos = find_images(source)
    if not photos:
        raise UserError(f"{source} holds no photo: put some there, or name another --image_path")
    return photos


def load_translator(config: argparse.Namespace, given: set[str]) -> Translator:
    """The translator that `config.test_iters` names, after refusing flags that contradict it."""
    folder = Path(config.model_save_dir)
    path = checkpoint.path_of(folder, checkpoint.resolve(folder, config.test_iters), "G")
    _refuse_contradictions(config, given, path)
    labels = Path(config.sample_label_dir)
    return Translator.load(
        path,
        c_dim=config.c_dim,
        image_size=config.image_size,
        crop_size=config.crop_size,
        domains=tuple(find_domains(labels)) if labels.is_dir() else (),
        amp=config.amp,
    )


def _refuse_contradictions(config: argparse.Namespace, given: set[str], path: Path) -> None:
    _, found = checkpoint.load_generator(path, config.c_dim)
    told = {flag: getattr(config, flag) for flag in given & {"g_conv_dim", "g_repeat_num", "c_dim"}}
    checkpoint.require(found, path, told)
    trained = checkpoint.load_config(path.parent)
    for flag in ("image_size", "crop_size", "d_conv_dim", "d_repeat_num"):
        if trained and flag in given and trained["arguments"][flag] != getattr(config, flag):
            has = trained["arguments"][flag]
            raise UserError(
                f"{path} was trained with --{flag} {has}, and --{flag} says {getattr(config, flag)}: "
                f"leave the flag out, or use another checkpoint"
            )


def save(translation: Translation, result_dir: Path, name: str) -> None:
    """Write `<name>/<emotion>.jpg`, each result at full size, and `<name>.jpg`, original and emotions side by side."""
    for domain, result in translation.results.items():
        _save_jpeg(Image.fromarray(result), result_dir / name / f"{domain}.jpg")
    row = [translation.original, *translation.results.values()]
    _save_jpeg(pictures.grid([row], ["original", *translation.results]), result_dir / f"{name}.jpg")


def _save_jpeg(image: Image.Image, path: Path) -> None:
    checkpoint.write_atomically(path, lambda temporary: image.save(temporary, "JPEG", quality=95))
