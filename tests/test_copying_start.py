"""`--init copy`: before any training the picture is there, and a label moves all of it."""

import numpy as np
import pytest
import torch
from PIL import Image

from common.errors import UserError
from imaging.drawing.picture import draw_face
from imaging.value_range import to_network
from losses import pair_loss
from model import Generator
from training.copying_start import start_copying


def faces(size: int) -> torch.Tensor:
    drawn = [np.asarray(Image.fromarray(draw_face(i, "neutral", size=256)).resize((size, size))) for i in range(3)]
    return to_network(np.stack(drawn))


def likeness(x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean correlation of the two pictures of each person and colour."""
    x, y = (z.flatten(2) - z.flatten(2).mean(2, keepdim=True) for z in (x, y))
    return float(torch.nn.functional.cosine_similarity(x, y, dim=2).mean())


@pytest.mark.parametrize(("conv_dim", "c_dim", "repeat_num"), [(16, 5, 6), (32, 6, 4), (16, 13, 1)])
def test_the_picture_passes_and_the_label_reaches_its_middle(conv_dim, c_dim, repeat_num):
    torch.manual_seed(0)
    G = Generator(conv_dim, c_dim, repeat_num)
    x = faces(64)
    labels = torch.eye(c_dim)
    with torch.inference_mode():
        assert likeness(x, G(x, labels[[0, 0, 0]])) < 0.6, "random weights do not"
        start_copying(G)
        pictures = torch.stack([G(x, labels[[i] * 3]) for i in range(c_dim)])
    assert likeness(x, pictures[0]) > 0.9
    middle = pictures[..., 24:40, 24:40]
    assert middle.std(0).mean() > 0.003


def test_too_few_channels_are_one_sentence():
    with pytest.raises(UserError, match="--g_conv_dim 8: give it 16"):
        start_copying(Generator(8, 5, 1))


def test_a_wrong_place_is_felt_though_the_picture_is_too_dark():
    """The gradient at a pixel that is too bright for its picture points down, however dark the picture is."""
    x_trg = torch.zeros(1, 3, 8, 8)
    x_fake = torch.full((1, 3, 8, 8), -0.5)
    x_fake[..., 4, 4] += 0.2
    x_fake.requires_grad_()
    pair_loss(x_fake, x_trg, x_trg).backward()
    assert (x_fake.grad[..., 4, 4] > 0).all() and (x_fake.grad[..., 0, 0] < 0).all()
