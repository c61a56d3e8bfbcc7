"""The whole path on drawn faces: draw, preprocess, train, translate people never trained on, measure, and look.

Prints each command as a user would type it. Ends with data/demo/demo.png, a table that shows the expressions moved, and
what the generator that comes with the project makes of people.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.emotions import FIVE
from common.errors import UserError, command
from common.flags import Switch
from common.version import NAME_AND_VERSION

if TYPE_CHECKING:  # what is heavy is imported where it is used: --help answers at once
    import numpy as np
    from PIL import Image

DEMO = Path("data/demo")
INPUTS = DEMO / "test"  # held-out people, neutral
HELD_OUT = DEMO / "held_out"  # the same people with each emotion: what the translations should look like
RESULTS = DEMO / "results"
PEOPLE_RESULTS = DEMO / "people"  # photo-like people, by the generator that comes with the project
SHOWN = 4  # people on the contact sheet
FACE = 176  # pixels of each of their pictures

# What the table shows: MediaPipe's blendshapes, left and right averaged.
FEATURES = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "eyes wide": ("eyeWideLeft", "eyeWideRight"),
    "brows down": ("browDownLeft", "browDownRight"),
    "brow inner up": ("browInnerUp",),
    "jaw open": ("jawOpen",),
}

PEOPLE = 12  # held out, never trained on
CROP = "--crop_size 352"  # drawn faces have no long chins: less background leaves more pixels for the face

ON_CPU = (
    "--image_size 64 --g_conv_dim 32 --d_conv_dim 32 --g_repeat_num 3 --d_repeat_num 5 --batch_size 8"
    " --num_iters 2250 --num_iters_decay 1000 --n_critic 2 --sample_step 750 --log_step 100"
)
ON_CUDA = (
    "--image_size 128 --g_conv_dim 64 --d_conv_dim 64 --g_repeat_num 6 --d_repeat_num 6 --batch_size 16"
    " --num_iters 8000 --num_iters_decay 3200 --n_critic 2 --sample_step 1000 --log_step 200"
)
JUDGE = f"{DEMO}/models/emotion.pt"
TRAIN_JUDGE = (
    f"emotion_recognition.py train --image_dir {DEMO}/train512 --output {JUDGE} --arch test_efficientnet"
    f" {CROP} --image_size 64 --epochs 12 --batch_size 32 --lr 0.004"
)
TRAIN = (
    f"main.py --image_dir {DEMO}/train512 --model_save_dir {DEMO}/models --sample_dir {DEMO}/samples"
    f" --log_dir {DEMO}/logs {CROP} --g_lr 0.0004 --d_lr 0.0004 --lr_update_step 50 --ema_decay 0.995"
    f" --trained_on drawn --fid_features emotion --emotion_model {JUDGE}"
)
EVALUATE = (
    f"main.py --mode eval --iters best latest --model_save_dir {DEMO}/models --image_dir {DEMO}/held_out512"
    f" --result_dir {RESULTS} --fid_features emotion --emotion_model {JUDGE}"
)
TEST = (
    f"main.py --mode test --test_iters latest --model_save_dir {DEMO}/models --image_path {INPUTS}/neutral"
    f" --result_dir {RESULTS}"
)
TEST_SHIPPED = f"main.py --mode test --model_save_dir pretrained --result_dir {PEOPLE_RESULTS}"

Blendshapes = dict[str, float]
Table = dict[str, Blendshapes]


def run(command: str) -> None:
    """Print a command as a user would type it, and run it with this interpreter."""
    print(f"\n$ python {command}", flush=True)
    ended = subprocess.run([sys.executable, *command.split()])
    if ended.returncode:
        raise UserError(
            f"the command above ended with exit code {ended.returncode}: correct what it says, then "
            "python demo.py --overwrite"
        )


def measure(photos: list[Path]) -> Blendshapes:
    """Mean of each feature over the faces of `photos`."""
    import numpy as np

    from face_detection import FaceFinder
    from imaging.face_geometry import face_square, input_square
    from imaging.photo import read_photo

    found = []
    with FaceFinder() as finder:
        for path in photos:
            photo = read_photo(path)
            boxes = finder.boxes(photo)
            mesh = finder.mesh(input_square(face_square(boxes[0])).cut(photo, 448)) if boxes else None
            if mesh:
                found.append([np.mean([mesh.blendshapes[s] for s in shapes]) for shapes in FEATURES.values()])
    if not found:
        raise UserError(f"MediaPipe finds no face in {photos[0].parent}: the training went wrong")
    return dict(zip(FEATURES, np.mean(found, axis=0).tolist(), strict=True))


def build_table(people: list[str]) -> Table:
    """Blendshape means of the input, of each translation, and of the same people as drawn with that emotion."""
    table = {"input": measure([INPUTS / "neutral" / f"{p}.jpg" for p in people])}
    for emotion in FIVE:
        table[f"{emotion}, translated"] = measure([RESULTS / p / f"{emotion}.jpg" for p in people])
        table[f"{emotion}, as drawn"] = measure([HELD_OUT / emotion / f"{p}.jpg" for p in people])
    return table


def table_lines(table: Table) -> list[str]:
    """The table as lines of text of equal width."""
    head = f"{'':24}" + "".join(f"{name:>15}" for name in FEATURES)
    return [
        head,
        *(f"{row:24}" + "".join(f"{value:15.2f}" for value in values.values()) for row, values in table.items()),
    ]


def faces_of(people: list[str]) -> Image.Image:
    """Input and translations of each person, beneath them the same person as drawn."""
    import cv2
    import numpy as np

    from imaging import picture_grid
    from imaging.photo import read_photo

    def small(path: Path) -> np.ndarray:
        return cv2.resize(read_photo(path), (FACE, FACE), interpolation=cv2.INTER_AREA)

    blank = np.full((FACE, FACE, 3), 255, np.uint8)
    rows, names = [], []
    for person in people:
        rows.append(
            [small(INPUTS / "neutral" / f"{person}.jpg")] + [small(RESULTS / person / f"{e}.jpg") for e in FIVE]
        )
        rows.append([blank] + [small(HELD_OUT / e / f"{person}.jpg") for e in FIVE])
        names += ["translated", "as drawn"]
    return picture_grid.grid(rows, ["input", *FIVE], names)


def contact_sheet(people: list[str], table: Table) -> Image.Image:
    """The faces of `people`, and at the bottom the table."""
    from PIL import Image, ImageDraw, ImageFont

    from imaging import picture_grid

    faces = faces_of(people)
    font = ImageFont.load_default(13)
    line = 20
    sheet = Image.new("RGB", (faces.width, faces.height + line * (len(table) + 3)), picture_grid.PAPER)
    sheet.paste(faces, (0, 0))
    draw = ImageDraw.Draw(sheet)
    y = faces.height + line
    draw.text((10, y), "MediaPipe blendshapes, means over all held-out people", picture_grid.INK, font)
    for j, name in enumerate(FEATURES):
        draw.text((330 + 130 * j, y + line), name, picture_grid.INK, font, anchor="ra")
    for i, (row, values) in enumerate(table.items(), start=2):
        draw.text((10, y + line * i), row, picture_grid.INK, font)
        for j, value in enumerate(values.values()):
            draw.text((330 + 130 * j, y + line * i), f"{value:.2f}", picture_grid.INK, font, anchor="ra")
    return sheet


def build_parser() -> argparse.ArgumentParser:
    """The one flag there is."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=NAME_AND_VERSION)
    parser.add_argument("--overwrite", action=Switch, default=False, help=f"delete what an earlier demo left in {DEMO}")
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run every step; the settings suit the machine."""
    given = build_parser().parse_args(argv)
    if DEMO.is_dir() and any(DEMO.iterdir()) and not given.overwrite:
        raise UserError(f"{DEMO} holds an earlier demo: move it away, or pass --overwrite to delete it")
    import torch

    started = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)
    run(f"-m imaging.draw_faces --output {DEMO}/train --per_emotion 300 --seed 0")
    run(f"datapreprocess.py --input {DEMO}/train --output {DEMO}/train512")
    run(TRAIN_JUDGE)
    run(f"{TRAIN} {ON_CUDA if torch.cuda.is_available() else ON_CPU}")
    people = f"--per_emotion {PEOPLE} --seed 1 --same_identities --emotions"
    run(f"-m imaging.draw_faces --output {INPUTS} {people} neutral")
    run(TEST)
    run(f"-m imaging.draw_faces --output {HELD_OUT} {people} {' '.join(FIVE)}")
    run(f"datapreprocess.py --input {HELD_OUT} --output {DEMO}/held_out512")
    run(EVALUATE)
    names = sorted(path.stem for path in INPUTS.glob("*/*.jpg") if (RESULTS / path.stem).is_dir())
    table = build_table(names)
    contact_sheet(names[:SHOWN], table).save(DEMO / "demo.png")
    print("\nMediaPipe blendshapes, means over", len(names), "people never trained on:\n")
    print("\n".join(table_lines(table)))
    run(TEST_SHIPPED)
    print(f"\n{DEMO}/demo.png: what these {(time.monotonic() - started) / 60:.0f} minutes of training on drawings gave")
    print(f"{PEOPLE_RESULTS}/results.html: what the generator that comes with the project makes of people")
    return 0


if __name__ == "__main__":
    sys.exit(main())
