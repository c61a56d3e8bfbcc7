"""Seconds a photo, from pixels to five pasted results: the published code's way, and ours, in one run.

    python benchmarks/translate.py [--photos folder] [--rounds 2]

Random weights in the published size (33.6 million parameters; what they paint does not change what it costs). The
published way: float32, the emotions one by one, MediaPipe's networks made anew for each picture, the largest face only,
rows of the mesh pasted in a Python loop. Both get the same photos, in turn, each with one face: a drawn one where no
folder is given.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch

from checkpointing.trained_generator import load_generator
from common import pretrained_files
from common.emotions import FIVE
from face_detection import media_pipe_image, native_log_muted
from imaging.drawing.picture import draw_face
from imaging.face_geometry import Box, face_mask, face_square, input_square
from imaging.photo import read_photo
from imaging.value_range import to_network, to_uint8
from model import Generator
from translation.fast_generator import Translate, fast_generator
from translation.onnx_export import export
from translation.translator import Original, Translator

SIZE = 256


@torch.no_grad()
def published_way(G: Generator, photo: np.ndarray) -> list[np.ndarray]:
    """One face, every emotion."""
    square = input_square(face_square(new_detector(photo)))
    crop = square.cut(photo, SIZE)
    x = to_network(crop[None])
    results = []
    for label in torch.eye(len(FIVE)):
        generated = to_uint8(G(x, label[None]))[0]
        mesh = new_mesh(generated, crop)
        points = square.to_photo(mesh, SIZE).astype(np.float32)
        rows, columns = square.region(photo.shape)
        inside = face_mask(points - np.float32((columns.start, rows.start)), photo[rows, columns].shape) > 0
        face = square.put_back(generated, photo.shape)
        result = photo.copy()
        for i, row in enumerate(inside):
            (where,) = np.nonzero(row)
            if len(where):
                first, last = where[0], where[-1] + 1
                left = columns.start
                result[rows.start + i, left + first : left + last] = face[i, first:last]
        results.append(result)
    return results


def new_detector(photo: np.ndarray) -> Box:
    """The face that a detector made for this photo finds."""
    from mediapipe.tasks.python import BaseOptions, vision

    network = pretrained_files.path("face_detector_full_range").read_bytes()
    with native_log_muted():
        options = vision.FaceDetectorOptions(BaseOptions(model_asset_buffer=network))
        with vision.FaceDetector.create_from_options(options) as detector:
            found = detector.detect(media_pipe_image(photo)).detections[0]
    box = found.bounding_box
    x, y = box.origin_x, box.origin_y
    return Box(x, y, x + box.width, y + box.height, found.categories[0].score)


def new_mesh(generated: np.ndarray, original: np.ndarray) -> np.ndarray:
    """The mesh that a landmarker made for this picture finds in it, or else in the original; pixels [478, 2]."""
    from mediapipe.tasks.python import BaseOptions, vision

    network = pretrained_files.path("face_landmarker").read_bytes()
    with native_log_muted():
        options = vision.FaceLandmarkerOptions(BaseOptions(model_asset_buffer=network))
        with vision.FaceLandmarker.create_from_options(options) as landmarker:
            mesh = landmarker.detect(media_pipe_image(generated)).face_landmarks
            mesh = mesh or landmarker.detect(media_pipe_image(original)).face_landmarks
    return np.array([(point.x, point.y) for point in mesh[0]]) * SIZE - 0.5


def photos_of(folder: Path | None) -> list[np.ndarray]:
    """The photos of `folder`, or a drawn face."""
    if folder is None:
        canvas = np.full((1280, 1920, 3), 140, np.uint8)
        canvas[300:1100, 600:1400] = cv2.resize(draw_face(0, "neutral"), (800, 800), interpolation=cv2.INTER_CUBIC)
        return [canvas]
    return [read_photo(path) for path in sorted(folder.glob("*.jpg"))]


def by_openvino(G: Generator) -> Translate:
    """The generator exported, and read by OpenVINO."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0-G.ckpt"
        torch.save(G.state_dict(), path)
        return fast_generator(G, onnx=export(load_generator(path)))[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder of photos (default: one drawn face in 1920 x 1280)")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    photos = photos_of(arguments.photos)
    torch.manual_seed(0)
    G = Generator().eval().requires_grad_(False)
    translator = Translator(G, list(FIVE), SIZE)
    generators = {"PyTorch": translator.G, "OpenVINO": by_openvino(G)}

    def our_way(name: str) -> Callable[[np.ndarray], object]:
        def translate(photo: np.ndarray) -> object:
            translator.G = generators[name]
            return list(translator.translate_many([Original(photo)], "largest"))

        return translate

    ways = {"published way": lambda photo: published_way(G, photo)} | {name: our_way(name) for name in generators}
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}", flush=True)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for name in list(ways)[1:]:
        ways[name](photos[0])  # the first run compiles
    for _ in range(arguments.rounds):
        for photo in photos:
            for name, way in ways.items():
                start, started = time.perf_counter(), time.process_time()
                way(photo)
                seconds[name].append(time.perf_counter() - start)
                processor[name].append(time.process_time() - started)
    print(f"{'seconds a photo':<20}{'median':>8}{'best':>8}{'times faster':>14}{'processor':>11}{'times less':>12}")
    reference = np.median(seconds["published way"]), np.median(processor["published way"])
    for name, values in seconds.items():
        wall, cpu = np.median(values), np.median(processor[name])
        print(
            f"{name:<20}{wall:8.2f}{min(values):8.2f}{reference[0] / wall:14.2f}{cpu:11.2f}{reference[1] / cpu:12.2f}"
        )
    translator.close()


if __name__ == "__main__":
    main()
