"""The ways to train faster or on less memory learn what the plain way learns."""

import copy
import functools

import pytest
import torch
from reference_step import reference_training

from common.device import choose_device
from data_loader import TrainingBatch
from imaging.image_folder import LabelledImages
from main import read_flags
from model import Generator, InstanceNorm
from solver import Solver

SMALL = {
    "image_size": 32,
    "g_conv_dim": 8,
    "d_conv_dim": 8,
    "g_repeat_num": 2,
    "d_repeat_num": 3,
    "amp": "off",
}


CPU = torch.device("cpu")


def solver_of(settings, device=CPU):
    """A solver without faces: its step is given batches directly."""
    solver = Solver(settings, LabelledImages([], [], []))
    assert solver.device.type == device.type
    return solver


def gradients(device=CPU, **changes):
    """The gradients of one discriminator step and one generator step, and the losses."""
    words = [word for name, value in {**SMALL, **changes}.items() for word in (f"--{name}", str(value))]
    settings = read_flags(words)
    step = solver_of(settings, device)
    state = step.state
    rng = torch.Generator().manual_seed(1)
    x_real = (torch.rand(8, 3, 32, 32, generator=rng) * 2 - 1).to(device)
    c_org = torch.arange(8, device=device) % 5
    c_trg, alpha = step.draw(1, c_org)
    losses = step.discriminator_step((x_real, c_org), x_real, c_trg, alpha, None)
    losses |= step.generator_step(x_real, c_org, c_trg, None, None)
    found = {f"G.{name}": p.grad for name, p in state.G.named_parameters()}
    found |= {f"D.{name}": p.grad for name, p in state.D.named_parameters()}
    return found, {name: value.item() for name, value in losses.items()}


def assert_alike(ours, plain, rel):
    for name, gradient in plain[0].items():
        scale = gradient.abs().max().item()
        assert (ours[0][name] - gradient).abs().max().item() <= rel * scale, name
    assert ours[1] == pytest.approx(plain[1], rel=rel)


SHAPES = [
    {"image_size": 24, "d_repeat_num": 3, "g_repeat_num": 1, "n_critic": 2},
    {"image_size": 20, "d_repeat_num": 2, "g_repeat_num": 2, "n_critic": 1, "accumulate": 2},
    {"image_size": 64, "d_repeat_num": 5, "g_repeat_num": 1, "n_critic": 5, "gradient_checkpointing": True},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "iterations", "rel"), [(torch.float64, 10, 1e-9), (torch.float32, 1, 1e-5)])
def test_the_step_is_the_papers(monkeypatch, shape, dtype, iterations, rel):
    """Losses and weights of iterations on odd sizes and depths, against autograd's penalty and passes done twice.

    In float32 one iteration: from then on Adam makes full steps of rounding errors where a gradient is truly zero.
    """
    words = [word for name, value in {**SMALL, **shape}.items() for word in (f"--{name}", str(value))]
    settings = read_flags(words)
    step = solver_of(settings)
    state = step.state
    state.G.to(dtype), state.D.to(dtype)
    reference = copy.deepcopy((state.G, state.D))
    rng = torch.Generator().manual_seed(1)
    size, c_org = settings.networks.image_size, torch.arange(4) % 5
    faces = [torch.rand(4, 3, size, size, generator=rng, dtype=dtype) * 2 - 1 for _ in range(iterations)]
    drawn = [step.draw(i, c_org) for i in range(1, iterations + 1)]
    batches = [(x, c_org, c_trg, alpha.to(dtype)) for x, (c_trg, alpha) in zip(faces, drawn, strict=True)]
    monkeypatch.setattr(step, "draw", lambda i, _: batches[i - 1][2:])
    theirs = reference_training(*reference, settings, batches, dtype)
    for i, (x_real, their_losses) in enumerate(zip(faces, theirs, strict=True), start=1):
        losses = step.iteration(i, TrainingBatch(x_real, c_org))
        assert {name: value.item() for name, value in losses.items()} == pytest.approx(their_losses, rel=rel, abs=rel)
    if dtype == torch.float64:
        for ours, network in zip((state.G, state.D), reference, strict=True):
            for (name, mine), their in zip(ours.named_parameters(), network.parameters(), strict=True):
                apart = (mine - their).abs()
                # Where a gradient is truly zero, Adam steps by the sign of its rounding error: a few weights differ.
                assert (apart > rel).double().mean() < 1e-3 and apart.max() < 1e-6, name


def test_known_answers_are_the_discriminators_real_faces():
    words = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
    step = solver_of(read_flags([*words, "--lambda_pair", "1"]))
    loss, seen = step.discriminator_loss, []

    def watched(D, x, c, *rest):
        seen.append((x, c))
        return loss(D, x, c, *rest)

    step.discriminator_loss = watched
    x_real, x_trg = torch.rand(2, 4, 3, 32, 32)
    step.iteration(1, TrainingBatch(x_real, torch.zeros(4, dtype=torch.long), torch.arange(4), x_trg))
    step.iteration(2, TrainingBatch(x_real, torch.arange(4)))
    (answers, c_trg), (real, c_org) = seen
    assert torch.equal(answers, x_trg) and torch.equal(c_trg, torch.arange(4))
    assert torch.equal(real, x_real) and torch.equal(c_org, torch.arange(4))


def test_the_discriminator_step_leaves_the_generator_alone():
    settings = read_flags([f"--{name}={value}" for name, value in SMALL.items()])
    step = solver_of(settings)
    state = step.state
    before = copy.deepcopy(state.G.state_dict()), copy.deepcopy(state.D.state_dict())
    step.iteration(1, TrainingBatch(torch.rand(4, 3, 32, 32), torch.arange(4)))  # n_critic is 5
    assert all(torch.equal(value, before[0][name]) for name, value in state.G.state_dict().items())
    assert not torch.equal(state.D.conv1.weight, before[1]["conv1.weight"])


def test_bright_pixels_learn_in_bfloat16():
    """Beyond 3.47 bfloat16 rounds tanh to 1, with a gradient of exactly 0."""
    G = Generator(8, 5, 1)
    x = torch.zeros(1, 3, 16, 16)
    seen = torch.full((1, 3, 16, 16), 4.0, dtype=torch.bfloat16, requires_grad=True)
    G.main[-2].register_forward_hook(lambda *_: seen)
    with torch.autocast("cpu", torch.bfloat16):
        y = G(x, torch.eye(5)[:1])
    y.sum().backward()
    assert y.dtype == torch.float32 and y.max() < 1
    assert seen.grad.min() > 0.001


@pytest.mark.parametrize("repeat_num", range(1, 13))
def test_gradient_checkpointing_works_at_every_depth(repeat_num):
    torch.manual_seed(0)
    G, x, c = Generator(4, 5, repeat_num), torch.rand(2, 3, 16, 16), torch.eye(5)[:2]
    found = []
    for G.gradient_checkpointing in (False, True):
        G.zero_grad()
        G(x, c).square().sum().backward()
        found.append([p.grad.clone() for p in G.parameters()])
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(*found, strict=True))


def test_the_norm_is_pytorchs_also_backwards():
    """In both memory layouts, with an image whose channels have different scales."""
    torch.manual_seed(0)
    ours, plain = InstanceNorm(6).double(), torch.nn.InstanceNorm2d(6, affine=True).double()
    torch.nn.init.normal_(ours.weight), torch.nn.init.normal_(ours.bias)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(3, 6, 5, 7, dtype=torch.float64) * torch.logspace(-2, 2, 6, dtype=torch.float64).view(6, 1, 1)
    for layout in (torch.contiguous_format, torch.channels_last):
        results = []
        for norm in (ours, plain):
            norm.zero_grad()
            leaf = x.clone(memory_format=layout).requires_grad_()
            y = norm(leaf)
            (y**3).sum().backward()
            results.append((y, leaf.grad, norm.weight.grad, norm.bias.grad))
        for mine, theirs in zip(*results, strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("changes", [{"accumulate": 4}, {"gradient_checkpointing": True}], ids=str)
def test_less_memory_same_gradients(changes):
    assert_alike(gradients(**changes), gradients(), rel=1e-4)


def test_checkpointing_keeps_less_for_the_backward_pass():
    def kept(checkpointing):
        """Bytes that the generator's forward pass leaves behind for its backward pass."""
        G = Generator(8, 5, 6)
        G.gradient_checkpointing = checkpointing
        stored: dict[int, int] = {}

        def store(tensor):
            stored[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(store, lambda tensor: tensor):
            G(torch.rand(2, 3, 64, 64), torch.eye(5)[:2])
        return sum(stored.values())

    assert kept(True) < 0.5 * kept(False)


@pytest.mark.slow
def test_the_compiled_generator_learns_the_same(monkeypatch):
    """In one graph, with the compiler's own differentiation; without the machine code, which takes a minute."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager", fullgraph=True))
    assert_alike(gradients(compile=True), gradients(), rel=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("changes", [{"amp": "off"}, {"amp": "bf16"}, {"compile": True}], ids=str)
def test_a_gpu_learns_what_the_cpu_learns(changes):
    ours, losses = gradients(choose_device(), **changes)
    cpu = {name: gradient.cpu() for name, gradient in ours.items()}
    assert_alike((cpu, losses), gradients(), rel=0.15 if changes.get("amp") == "bf16" else 1e-3)


def test_alpha_and_labels_depend_on_the_seed_and_the_iteration_alone():
    settings = read_flags(["--batch_size", "4"] + [f"--{k}={v}" for k, v in SMALL.items()])
    step = solver_of(settings)
    c_org = torch.tensor([0, 1, 2, 3])
    torch.rand(7)
    first, again, other = step.draw(5, c_org), step.draw(5, c_org), step.draw(6, c_org)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    assert sorted(first[0].tolist()) == [0, 1, 2, 3]


def test_bfloat16_follows_the_losses_of_float32():
    """Over 60 iterations on the same data, from the same weights: what it is taught, it learns as fast."""

    def losses_of(amp):
        changes = {**SMALL, "amp": amp, "image_size": 16, "g_lr": 0.001, "d_lr": 0.001}
        words = [word for name, value in changes.items() for word in (f"--{name}", str(value))]
        settings = read_flags(words)
        step = solver_of(settings)
        rng = torch.Generator().manual_seed(1)
        curve = []
        for i in range(1, 61):
            c_org = torch.arange(8) % 5
            x_real = torch.rand(8, 3, 16, 16, generator=rng) - c_org.view(8, 1, 1, 1) / 5
            parts = step.iteration(i, TrainingBatch(x_real, c_org))
            curve.append({name: value.item() for name, value in parts.items()})
        return curve

    full, half = losses_of("off"), losses_of("bf16")
    assert full[-1]["D/loss_cls"] < 0.7 * full[0]["D/loss_cls"]  # it learned something
    assert full[-1]["G/loss_rec"] < 0.9 * full[4]["G/loss_rec"]
    for there, here in zip(full, half, strict=True):  # the critic's own values drift: nothing holds their zero
        for name in there.keys() & {"D/loss_cls", "D/loss_gp", "G/loss_rec"}:
            assert here[name] == pytest.approx(there[name], abs=0.1), name
