"""The demo on photo-like people: the generator that comes with the project goes on training, on 58 of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from common.emotions import FIVE
from common.errors import RunStopped
from demos.result_face import face_on
from demos.steps import PEOPLE, run
from face_detection import FaceFinder
from imaging import picture_grid
from imaging.face_geometry import face_square
from imaging.photo import read_photo
from scoring.real_face_judge import RealFaceJudge

TRAIN = Path("data/demo_people/train")
HELD_OUT = Path("data/demo_people/held_out")  # eight calm people, never trained on
SIDE = 200  # pixels of each picture of the sheet
FEWEST_NAMED = 0.5  # share of the results below which the training has gone wrong

# Low rates and a light weight of the way back keep what the generator can do already (docs/training.md).
FINE_TUNING = (
    "--init pretrained/people-256.ckpt --batch_size 4 --num_iters 100 --num_iters_decay 100 --lr_update_step 10"
    " --n_critic 2 --balance --g_lr 5e-5 --d_lr 1e-4 --lambda_rec 1 --ema_decay 0.99"
    " --trained_on photolike"
)
SCORING = "--fid_features emotion --fid_sample_size 30 --sample_step 50 --log_step 10 --no-use_tensorboard"


def play() -> None:
    """Every step; raises `RunStopped` where the faces do not show their emotions."""
    models, results = PEOPLE / "models", PEOPLE / "results"
    run(f"datapreprocess.py --input {TRAIN} --output {PEOPLE}/train512")
    run(
        f"main.py --mode train --image_dir {PEOPLE}/train512 {FINE_TUNING} {SCORING}"
        f" --model_save_dir {models} --sample_dir {PEOPLE}/samples --log_dir {PEOPLE}/logs"
    )
    run(
        f"main.py --mode test --test_iters best --model_save_dir {models} --image_path {HELD_OUT}"
        f" --result_dir {results}"
    )
    photos = sorted(HELD_OUT.glob("*.jpg"))
    sheet(photos, results).save(PEOPLE / "demo.png")
    named = named_rightly(results, photos)
    print(f"\nThe judge of real faces names the wanted emotion of {len(photos)} people never trained on:")
    print(", ".join(f"{emotion} {count}" for emotion, count in named.items()))
    if sum(named.values()) < FEWEST_NAMED * len(photos) * len(FIVE):
        raise RunStopped(f"fewer than half are named rightly: look at {PEOPLE}/samples and {models}/losses.csv")


def sheet(photos: Sequence[Path], results: Path) -> Image.Image:
    """A row for each of the `photos`: its face, and the same with the five emotions in `results`."""
    rows = []
    with FaceFinder() as finder:
        for photo in photos:
            pictures = [read_photo(photo), *(read_photo(results / photo.stem / f"{emotion}.jpg") for emotion in FIVE)]
            square = face_square(finder.boxes(pictures[0])[0]).within(pictures[0].shape, 0.8)
            rows.append([square.cut(picture, SIDE) for picture in pictures])
    return picture_grid.grid(rows, ["photo", *FIVE])


def named_rightly(results: Path, photos: Sequence[Path]) -> dict[str, int]:
    """By emotion, in how many of the results the judge names it, out of the five."""
    judge, right = RealFaceJudge(), dict.fromkeys(FIVE, 0)
    with FaceFinder() as finder:
        for photo in photos:
            for emotion in FIVE:
                if found := face_on(results / photo.stem / f"{emotion}.jpg", finder):
                    face, mesh = found
                    named = FIVE[int(np.argmax(judge.log_probabilities([face], [mesh.points], FIVE)[0]))]
                    right[emotion] += named == emotion
    return right
