"""Whoever made a generator: the photo moves as its pictures move, and less far where that is another person."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from moving import CORNERS, STEADY, grainy_face, mesh_in, moved
from PIL import Image

from checkpointing import default_generator
from imaging.face_geometry import input_square
from imaging.value_range import to_network, to_uint8
from model import Generator
from translation.result_check import Checker
from translation.translator import Translator

RAFD = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
UP, DOWN = ((0, -4), (0, -4)), ((0, 4), (0, 4))  # corners of the mouth, in 128ths of what the generator sees


@pytest.fixture(scope="module")
def photo():
    return grainy_face(700)


def published(path, c_dim, tracking, prefix=""):
    """A generator's file as other repos write it."""
    torch.manual_seed(0)
    state = {prefix + name: value for name, value in Generator(8, c_dim, 1).state_dict().items()}
    for name, value in list(state.items()) if tracking else ():
        if name.endswith("bias"):  # only the norms have one
            stem = name.removesuffix("bias")
            state |= {f"{stem}running_mean": value + 1e3, f"{stem}running_var": value + 1}
    torch.save(state, path)
    return path


@pytest.mark.parametrize(
    ("repo", "c_dim", "tracking", "prefix", "settings", "smiles", "frowns"),
    [
        ("yunjey/stargan", 8, True, "", {"c_dim": 8, "image_size": 128, "domains": RAFD}, "happy", "surprised"),
        ("StarGAN-TA", 6, True, "module.", {"image_size": 256}, "happy", "surprised"),
        ("StarGAN-FE", 5, False, "", {"image_size": 256}, "angry", "sadness"),
    ],
)
def test_the_photo_moves_as_any_generators_pictures(
    photo, tmp_path, repo, c_dim, tracking, prefix, settings, smiles, frowns
):
    """One emotion lifts the corners of the mouth, another lowers them, all others do nothing; the head leans."""
    path = published(tmp_path / "200000-G.ckpt", c_dim, tracking, prefix)
    turn = cv2.getRotationMatrix2D((350, 350), 12, 1)
    leaning = cv2.warpAffine(photo, turn, (700, 700), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    with Translator.load(path, backend="torch", **settings) as translator:
        size = settings["image_size"]
        assert (
            translator.published
            and translator.image_size == size
            and len(translator.domains) == settings.get("c_dim", 5)
        )
        (face,) = translator.find_faces(leaning)
        square = translator._sees(face)
        corners = square.to_crop(face.points, size)[CORNERS]
        by_domain = {smiles: UP, frowns: DOWN}

        def G(x, label):
            assert x.shape[1:] == (3, size, size) and label.sum() == 1
            by = by_domain.get(translator.domains[int(label.argmax())], ((0, 0), (0, 0)))
            return to_network(moved(to_uint8(x)[0], corners, np.array(by) * size / 128)[None])

        translator.G = G
        translation = translator.translate(leaning, [face])
        before = mesh_in(translator, leaning, face)
        for domain, result in translation.results.items():
            went = square.to_crop(mesh_in(translator, result, face), 128) - square.to_crop(before, 128)
            by = np.array(by_domain.get(domain, ((0, 0), (0, 0))))
            assert translation.checks[0, domain].way == "photo", (repo, domain, translation.checks[0, domain])
            assert went[CORNERS][:, 1] == pytest.approx(by[:, 1], abs=1.2), domain
            assert np.abs(went[STEADY]).max() < 1.2, domain


def test_a_release_says_how_far_photos_move(photo, tmp_path):
    """Twice as far as the generator's own picture where the file's config says 2, and half that at strength 0.5."""
    path = published(tmp_path / "people.ckpt", 5, tracking=False)
    arguments = {"image_size": 256, "crop_size": 448, "trained_on": "photolike"}
    config = {"arguments": arguments, "domains": ["angry", "fearful", "happy", "sadness", "surprised"], "reach": 2}
    path.with_suffix(".json").write_text(json.dumps(config), encoding="utf-8")
    with Translator.load(path, backend="torch") as translator:
        (face,) = translator.find_faces(photo)
        square = translator._sees(face)
        corners = square.to_crop(face.points, 256)[CORNERS]
        translator.G = lambda x, label: to_network(moved(to_uint8(x)[0], corners, np.array(UP))[None])
        before = mesh_in(translator, photo, face)
        for strength, by in ((1, 4), (0.5, 2)):
            result = translator.translate(photo, [face], strength, ["happy"]).results["happy"]
            went = square.to_crop(mesh_in(translator, result, face), 128) - square.to_crop(before, 128)
            assert went[CORNERS][:, 1].mean() == pytest.approx(-by, abs=0.7)


def test_half_the_strength_moves_half_as_far_in_blendshapes(photo, tmp_path):
    """The generator that comes with the project. One blendshape alone begins late and ends early: all of them."""
    with Translator.load(default_generator.find(tmp_path).path, backend="torch") as translator:
        (face,) = translator.find_faces(photo)
        square = input_square(face.square)

        def blendshapes(picture):
            return np.array(list(translator.finder.mesh(square.cut(picture, 512)).blendshapes.values()))

        rest = blendshapes(photo)
        half, whole = (
            [
                np.abs(blendshapes(r) - rest).sum()
                for r in translator.translate(photo, [face], strength).results.values()
            ]
            for strength in (0.5, 1)
        )
    assert sum(half) / sum(whole) == pytest.approx(0.5, abs=0.075)


@pytest.fixture
def smiler(photo, monkeypatch, tmp_path):
    """A folder with a photo and a generator whose pictures smile: the wider, the less is it the same person.

    dlib's network is not on every machine: here who somebody is lies in how high the corners of the mouth are.
    """
    monkeypatch.setattr(Translator, "generate", smiling)
    monkeypatch.setattr(Checker, "_who", lambda self, crops, meshes: [mesh[CORNERS, 1] / 16 for mesh in meshes])
    published(tmp_path / "5-G.ckpt", 5, tracking=False)
    Image.fromarray(photo).save(tmp_path / "me.png")
    return tmp_path


def smiling(translator, crops, domains=None):
    """In place of `Translator.generate`: every emotion is a smile."""
    (crop,) = crops
    corners = translator.finder.mesh(cv2.resize(crop, (512, 512))).points[CORNERS] * len(crop) / 512
    return np.stack([moved(crop, corners, np.array(UP) * len(crop) / 128)] * len(domains))[None]


def test_a_face_moves_less_far_rather_than_become_another(main_here, smiler):
    words = ("--mode", "test", "--test_iters", 5, "--model_save_dir", smiler, "--image_path", smiler / "me.png")
    words = (*words, "--result_dir", smiler / "out", "--backend", "torch", "--emotions", "happy", "--overwrite")

    def run(*more):
        told = main_here(*words, *more)
        assert told.returncode == 0, told.stderr
        (photo,) = json.loads((smiler / "out/results.json").read_text(encoding="utf-8"))["photos"]
        (result,) = photo["results"]
        return told.stdout, result, (smiler / "out/results.html").read_text(encoding="utf-8")

    told, result, page = run()
    assert 0.4 < result["strength"] < 1 and result["distance"] < 0.6
    assert "same person" in result["held_back"] and "1 moved less far" in told
    assert f"moved {result['strength']:g} as far" in page
    told, result, page = run("--strength", 1)
    assert result["strength"] == 1 and result["state"] == "failed" and result["held_back"] == ""
    assert "1 failed" in told and "as far" not in page
