"""Each loss against an independent calculation."""

import numpy as np
import pytest
import torch
from reference_step import autograd_penalty

from losses import CHANGE_WEIGHT, discriminator_loss, feature_loss, generator_loss, gradient_penalty, one_hot, pair_loss
from model import Discriminator, Generator

C_DIM = 3


@pytest.fixture
def scene():
    """Tiny networks and a batch, in double precision."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    G, D = Generator(4, C_DIM, 1).double(), Discriminator(16, 4, C_DIM, 2).double()
    x_real = torch.rand(4, 3, 16, 16) * 2 - 1
    c_org = torch.tensor([0, 1, 2, 1])
    yield G, D, x_real, c_org, c_org[torch.tensor([1, 2, 0, 3])]
    torch.set_default_dtype(torch.float32)


def cross_entropy(logits, labels):
    """-log softmax, by hand in numpy."""
    z = logits.detach().numpy()
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels.numpy()].mean()


def critic_sum(D, x):
    with torch.no_grad():
        return D(torch.from_numpy(x)[None])[0].sum().item()


def test_gradient_penalty_by_finite_differences(scene):
    _, D, x_real, _, _ = scene
    x_real, x_fake = x_real[:2, :, :8, :8], torch.rand(2, 3, 8, 8) * 2 - 1
    D = Discriminator(8, 3, C_DIM, 1).double()
    alpha = torch.tensor([0.3, 0.8]).view(2, 1, 1, 1)
    norms = []
    for k in range(2):
        x_hat = (alpha[k] * x_real[k] + (1 - alpha[k]) * x_fake[k]).numpy()
        gradient = np.zeros_like(x_hat)
        for place in np.ndindex(*x_hat.shape):
            up, down = x_hat.copy(), x_hat.copy()
            up[place] += 1e-5
            down[place] -= 1e-5
            gradient[place] = (critic_sum(D, up) - critic_sum(D, down)) / 2e-5
        norms.append(np.sqrt((gradient**2).sum()))
    expected = np.mean([(norm - 1) ** 2 for norm in norms])
    assert gradient_penalty(D, x_real, x_fake, alpha).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("size", "depth"), [(8, 1), (12, 2), (16, 4), (24, 3), (40, 3)])
def test_the_penalty_and_its_gradients_are_autograds(scene, size, depth):
    """Value, and the gradient of every weight of a critic that is not linear, against the second derivative."""
    torch.manual_seed(size)
    x_real, x_fake, alpha = torch.rand(3, 3, size, size), torch.rand(3, 3, size, size), torch.rand(3, 1, 1, 1)
    found = {}
    for penalty in (gradient_penalty, autograd_penalty):
        torch.manual_seed(1)
        D = Discriminator(size, 5, C_DIM, depth).double()
        value = penalty(D, x_real, x_fake, alpha)
        value.backward()
        found[penalty] = [
            value,
            *(p.grad for name, p in D.named_parameters() if not name.endswith("bias") and name != "conv2.weight"),
        ]
    for ours, autograds in zip(*found.values(), strict=True):
        assert torch.allclose(ours, autograds, rtol=1e-10, atol=1e-14)


def test_nothing_is_differentiated_twice_and_biases_learn_nothing_from_the_penalty(scene):
    _, D, x_real, _, _ = scene
    gradient_penalty(D, x_real, x_real.flip(0), torch.rand(4, 1, 1, 1)).backward()
    assert all(p.grad is None for name, p in D.named_parameters() if name.endswith("bias") or name == "conv2.weight")


def test_the_pair_loss_is_nought_at_the_answer_and_counts_changed_pixels_more():
    x_real = torch.zeros(1, 3, 4, 4)
    x_trg = x_real.clone()
    x_trg[..., 0] = 1.0  # the expression changes the first column
    assert pair_loss(x_trg, x_real, x_trg).item() == 0
    missed, added = x_real, x_trg.clone()
    added[..., 3] = 1.0
    # The mean error, 1/4, is apart; of the rest the first column has a higher weight, and differences half.
    first = 1 + CHANGE_WEIGHT
    assert pair_loss(missed, x_real, x_trg).item() == pytest.approx((first * 3 / 4 + 3 / 4) / 4 + 1 / 4 + 0.5 / 3)
    assert pair_loss(added, x_real, x_trg).item() == pytest.approx((first / 4 + 2 / 4 + 3 / 4) / 4 + 1 / 4 + 0.5 / 3)


def test_the_feature_loss_is_nought_at_the_answer_does_not_see_its_colour_and_is_bounded(scene):
    _, D, x_real, _, _ = scene
    x_trg = x_real.roll(1, 0)
    tinted = x_trg + torch.tensor([0.3, 0.0, -0.2]).view(3, 1, 1)
    assert feature_loss(D, x_trg, x_trg).item() == 0
    assert feature_loss(D, tinted, x_trg).item() == pytest.approx(0, abs=1e-9)
    blurred = torch.nn.functional.avg_pool2d(x_trg, 3, 1, 1)
    near, far = feature_loss(D, torch.lerp(x_trg, blurred, 0.1), x_trg), feature_loss(D, blurred, x_trg)
    assert 0 < near < far
    assert feature_loss(D, 1000 * x_real, x_trg).item() <= 2 * len(D.layers())


def test_discriminator_loss(scene):
    G, D, x_real, c_org, c_trg = scene
    with torch.no_grad():
        x_fake = G(x_real, one_hot(c_trg, C_DIM).double())
        src_real, cls_real = D(x_real)
        src_fake, _ = D(x_fake)
    alpha = torch.rand(4, 1, 1, 1)
    loss, parts = discriminator_loss(D, x_real, c_org, x_fake, alpha, lambda_cls=0.7, lambda_gp=9.0)
    assert parts["D/loss_real"].item() == pytest.approx(-src_real.mean().item(), rel=1e-5)
    assert parts["D/loss_fake"].item() == pytest.approx(src_fake.mean().item(), rel=1e-5)
    assert parts["D/loss_cls"].item() == pytest.approx(cross_entropy(cls_real, c_org), rel=1e-5)
    gp = gradient_penalty(D, x_real, x_fake, alpha).item()
    expected = -src_real.mean() + src_fake.mean() + 0.7 * cross_entropy(cls_real, c_org) + 9.0 * gp
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_generator_loss(scene):
    G, D, x_real, c_org, c_trg = scene
    x_translated = G(x_real, one_hot(c_trg, C_DIM))
    loss, parts = generator_loss(G, D, x_real, c_org, x_translated, c_trg, C_DIM, lambda_cls=0.7, lambda_rec=9.0)
    with torch.no_grad():
        x_fake = G(x_real, one_hot(c_trg, C_DIM).double())
        src, cls = D(x_fake)
        x_rec = G(x_fake, one_hot(c_org, C_DIM).double())
    rec = np.abs(x_real.numpy() - x_rec.numpy()).mean()
    assert parts["G/loss_fake"].item() == pytest.approx(-src.mean().item(), rel=1e-5)
    assert parts["G/loss_cls"].item() == pytest.approx(cross_entropy(cls, c_trg), rel=1e-5)
    assert parts["G/loss_rec"].item() == pytest.approx(rec, rel=1e-5)
    assert loss.item() == pytest.approx(-src.mean().item() + 0.7 * cross_entropy(cls, c_trg) + 9.0 * rec, rel=1e-5)
