"""The networks against the description in the papers: names, shapes, counts, and what InstanceNorm does."""

import pytest
import torch

from model import Discriminator, Generator


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_parameter_counts_at_the_published_size():
    with torch.device("meta"):
        assert parameters(Generator(128, 5, 6)) == 33_638_272
        assert parameters(Discriminator(256, 128, 5, 6)) == 179_160_960


def test_generator_names_and_shapes():
    """Every layer of the paper's networks, in its order, under the names published checkpoints have."""
    with torch.device("meta"):
        state = Generator(128, 5, 6).state_dict()
    expected = {"main.0.weight": (128, 8, 7, 7), "main.3.weight": (256, 128, 4, 4), "main.6.weight": (512, 256, 4, 4)}
    for norm, dim in ((1, 128), (4, 256), (7, 512), (16, 256), (19, 128)):
        expected |= {f"main.{norm}.weight": (dim,), f"main.{norm}.bias": (dim,)}
    for block in range(9, 15):
        for conv, norm in ((0, 1), (3, 4)):
            expected[f"main.{block}.main.{conv}.weight"] = (512, 512, 3, 3)
            expected |= {f"main.{block}.main.{norm}.{part}": (512,) for part in ("weight", "bias")}
    expected |= {
        "main.15.weight": (512, 256, 4, 4),
        "main.18.weight": (256, 128, 4, 4),
        "main.21.weight": (3, 128, 7, 7),
    }
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected


def test_discriminator_names_and_shapes():
    with torch.device("meta"):
        state = Discriminator(256, 128, 5, 6).state_dict()
    expected = {}
    dim_in = 3
    for layer, dim in zip(range(0, 12, 2), (128, 256, 512, 1024, 2048, 4096), strict=True):
        expected |= {f"main.{layer}.weight": (dim, dim_in, 4, 4), f"main.{layer}.bias": (dim,)}
        dim_in = dim
    expected |= {"conv1.weight": (1, 4096, 3, 3), "conv2.weight": (5, 4096, 4, 4)}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected


def test_activations_are_those_of_stargan_ta():
    names = [type(layer).__name__ for layer in Generator(8, 5, 1).main]
    head = ["Conv2d", "InstanceNorm", "LeakyReLU"] * 3
    tail = ["ConvTranspose2d", "InstanceNorm", "LeakyReLU"] * 2 + ["Conv2d", "Tanh"]
    assert names == [*head, "ResidualBlock", *tail]


@pytest.mark.parametrize("size", [64, 96])
def test_generator_keeps_the_size_and_range(size):
    x = torch.rand(2, 3, size, size) * 2 - 1
    y = Generator(8, 5, 1)(x, torch.eye(5)[:2])
    assert y.shape == x.shape
    assert y.abs().max() <= 1


def test_discriminator_outputs():
    src, cls = Discriminator(64, 8, 5, 4)(torch.rand(2, 3, 64, 64))
    assert src.shape == (2, 1, 4, 4)
    assert cls.shape == (2, 5)


def test_the_label_changes_the_picture():
    torch.manual_seed(0)
    G = Generator(8, 5, 1)
    x = torch.rand(1, 3, 32, 32)
    happy, sad = (G(x, torch.eye(5)[i : i + 1]) for i in (2, 3))
    assert (happy - sad).abs().mean() > 1e-3


def test_a_face_is_translated_alike_alone_in_a_batch_in_training_and_in_use():
    """InstanceNorm uses the image's own statistics, always: the published code's `eval()` garbage cannot happen."""
    torch.manual_seed(0)
    G = Generator(8, 5, 2)
    x = torch.rand(4, 3, 32, 32)
    c = torch.eye(5)[:4]
    for _ in range(3):
        G.train()(x, c)
    trained = G.train()(x, c)
    torch.testing.assert_close(G.eval()(x, c), trained)
    torch.testing.assert_close(G.eval()(x[1:2], c[1:2]), trained[1:2], rtol=1e-4, atol=1e-5)
