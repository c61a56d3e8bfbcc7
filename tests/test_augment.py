"""The augmentation of whole batches is torchvision's, in what it does and in how often it does it."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from imaging.drawing.picture import draw_face
from imaging.value_range import to_network
from loading.augment import Draws, augment, draw

IMAGES = 24


@pytest.fixture(scope="module")
def pixels():
    """Faces, with one all bright and one all dark, which the clamps cut; uint8 [24, 64, 64, 3]."""
    faces = [draw_face(identity, "happy", size=64) for identity in range(IMAGES - 2)]
    noise = np.random.default_rng(0)
    return np.stack([*faces, noise.integers(200, 256, (64, 64, 3)), noise.integers(0, 30, (64, 64, 3))]).astype(
        np.uint8
    )


def one_by_one(image, draws, i):
    """Sample `i` of `draws`, done by torchvision on its own."""
    if draws.flip[i]:
        image = tv.horizontal_flip(image)
    brightness, contrast = float(draws.brightness[i]), float(draws.contrast[i])
    if draws.brightness_first[i]:
        return tv.adjust_contrast(tv.adjust_brightness(image, brightness), contrast)
    return tv.adjust_brightness(tv.adjust_contrast(image, contrast), brightness)


def test_each_sample_is_what_torchvision_makes_of_it(pixels):
    draws = draw(range(IMAGES))
    assert {(bool(f), bool(b)) for f, b in zip(draws.flip, draws.brightness_first, strict=True)} == {
        (False, False), (False, True), (True, False), (True, True),
    }  # fmt: skip
    ours = augment(torch.from_numpy(pixels), draws)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    for i, image in enumerate(pixels):
        exact = one_by_one(torch.from_numpy(image).permute(2, 0, 1).float() / 255, draws, i)
        assert torch.allclose(ours[i], exact * 2 - 1, atol=1e-5)
        rounded = to_network(np.asarray(one_by_one(Image.fromarray(image), draws, i)))  # Pillow rounds after each step
        assert (ours[i] - rounded).abs().max() <= 2.5 / 127.5


def test_the_order_of_brightness_and_contrast_matters_and_is_kept(pixels):
    """On a bright image the clamp comes between them."""
    bright = torch.from_numpy(pixels[-2:-1])

    def lit(first):
        factor = torch.tensor([1.15]), torch.tensor([0.8])
        return augment(bright, Draws(torch.tensor([False]), *factor, torch.tensor([first])))

    assert (lit(True) - lit(False)).abs().mean() > 0.01


def test_nothing_drawn_changes_nothing(pixels):
    one, no = torch.ones(IMAGES), torch.zeros(IMAGES, dtype=torch.bool)
    assert torch.equal(augment(torch.from_numpy(pixels), Draws(no, one, one, no)), to_network(pixels))


def test_a_sample_is_the_same_in_any_batch(pixels):
    whole = augment(torch.from_numpy(pixels), draw(range(IMAGES)))
    part = augment(torch.from_numpy(pixels[5:9]), draw(range(5, 9)))
    assert torch.allclose(whole[5:9], part, atol=1e-6)


def test_chance_is_distributed_as_in_torchvision():
    count = 4000
    ours = draw(range(count))
    jitter = v2.ColorJitter(brightness=(0.8, 1.4), contrast=0.2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = [jitter.make_params([]) for _ in range(count)]
    for name in ("brightness", "contrast"):
        expected = [params[f"{name}_factor"] for params in theirs]
        assert stats.ks_2samp(getattr(ours, name).numpy(), expected).pvalue > 0.01
    first = sum(list(params["fn_idx"]).index(0) < list(params["fn_idx"]).index(1) for params in theirs)
    for times in (int(ours.flip.sum()), int(ours.brightness_first.sum()), first):
        assert stats.binomtest(times, count, 0.5).pvalue > 0.01
    numbers = torch.stack([n.float() for n in ours])
    assert (torch.corrcoef(numbers) - torch.eye(4)).abs().max() < 0.06  # none follows from another
