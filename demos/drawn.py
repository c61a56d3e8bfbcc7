"""The demo on drawn faces, whose right answer is known: draw, preprocess, train from nothing, translate, measure."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from common.emotions import FIVE
from common.errors import UserError
from demos.result_face import face_on
from demos.steps import DRAWN, run
from face_detection import FaceFinder
from imaging import picture_grid
from imaging.photo import read_photo

INPUTS = DRAWN / "test"  # held-out people, neutral
HELD_OUT = DRAWN / "held_out"  # the same people with each emotion: what the translations should look like
RESULTS = DRAWN / "results"
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
JUDGE = f"{DRAWN}/models/emotion.pt"
TRAIN_JUDGE = (
    f"emotion_recognition.py train --image_dir {DRAWN}/train512 --output {JUDGE} --arch test_efficientnet"
    f" {CROP} --image_size 64 --epochs 12 --batch_size 32 --lr 0.004"
)
TRAIN = (
    f"main.py --image_dir {DRAWN}/train512 --model_save_dir {DRAWN}/models --sample_dir {DRAWN}/samples"
    f" --log_dir {DRAWN}/logs {CROP} --g_lr 0.0004 --d_lr 0.0004 --lr_update_step 50 --ema_decay 0.995"
    f" --trained_on drawn --fid_features emotion --emotion_model {JUDGE}"
)
EVALUATE = (
    f"main.py --mode eval --iters best latest --model_save_dir {DRAWN}/models --image_dir {DRAWN}/held_out512"
    f" --result_dir {RESULTS} --fid_features emotion --emotion_model {JUDGE}"
)
TEST = (
    f"main.py --mode test --test_iters latest --model_save_dir {DRAWN}/models --image_path {INPUTS}/neutral"
    f" --result_dir {RESULTS}"
)

Blendshapes = dict[str, float]
Table = dict[str, Blendshapes]


def play() -> None:
    """Every step; the settings suit the machine."""
    run(f"-m imaging.draw_faces --output {DRAWN}/train --per_emotion 300 --seed 0")
    run(f"datapreprocess.py --input {DRAWN}/train --output {DRAWN}/train512")
    run(TRAIN_JUDGE)
    run(f"{TRAIN} {ON_CUDA if torch.cuda.is_available() else ON_CPU}")
    people = f"--per_emotion {PEOPLE} --seed 1 --same_identities --emotions"
    run(f"-m imaging.draw_faces --output {INPUTS} {people} neutral")
    run(TEST)
    run(f"-m imaging.draw_faces --output {HELD_OUT} {people} {' '.join(FIVE)}")
    run(f"datapreprocess.py --input {HELD_OUT} --output {DRAWN}/held_out512")
    run(EVALUATE)
    names = sorted(path.stem for path in INPUTS.glob("*/*.jpg") if (RESULTS / path.stem).is_dir())
    table = build_table(names)
    contact_sheet(names[:SHOWN], table).save(DRAWN / "demo.png")
    print("\nMediaPipe blendshapes, means over", len(names), "people never trained on:\n")
    print("\n".join(table_lines(table)))


def measure(photos: list[Path]) -> Blendshapes:
    """Mean of each feature over the faces of `photos`."""
    found = []
    with FaceFinder() as finder:
        for path in photos:
            if face := face_on(path, finder):
                blendshapes = face[1].blendshapes
                found.append([np.mean([blendshapes[s] for s in shapes]) for shapes in FEATURES.values()])
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
