"""The ways to train faster or on less memory learn what the plain way learns."""

import argparse
import functools

import pytest
import torch

from common.device import choose_device
from main import build_parser
from training.distributed import Ranks
from training.state import TrainingState
from training_step import TrainingStep

SMALL = {
    "image_size": 32,
    "g_conv_dim": 8,
    "d_conv_dim": 8,
    "g_repeat_num": 2,
    "d_repeat_num": 3,
    "amp": "off",
}


CPU = torch.device("cpu")


def gradients(device=CPU, **changes):
    """The gradients of one discriminator step and one generator step, and the losses."""
    words = [word for name, value in {**SMALL, **changes}.items() for word in (f"--{name}", str(value))]
    config: argparse.Namespace = build_parser().parse_args(words)
    state = TrainingState(config, device)
    step = TrainingStep(config, state, Ranks(device), device)
    rng = torch.Generator().manual_seed(1)
    x_real = (torch.rand(8, 3, 32, 32, generator=rng) * 2 - 1).to(device)
    c_org = torch.arange(8, device=device) % 5
    c_trg, alpha = step.draw(1, c_org)
    losses = step.discriminator(x_real, c_org, c_trg, alpha) | step.generator(x_real, c_org, c_trg)
    found = {f"G.{name}": p.grad for name, p in state.G.named_parameters()}
    found |= {f"D.{name}": p.grad for name, p in state.D.named_parameters()}
    return found, {name: value.item() for name, value in losses.items()}


def assert_alike(ours, plain, rel):
    for name, gradient in plain[0].items():
        scale = gradient.abs().max().item()
        assert (ours[0][name] - gradient).abs().max().item() <= rel * scale, name
    assert ours[1] == pytest.approx(plain[1], rel=rel)


@pytest.mark.parametrize("changes", [{"accumulate": 4}, {"gradient_checkpointing": True}], ids=str)
def test_less_memory_same_gradients(changes):
    assert_alike(gradients(**changes), gradients(), rel=1e-4)


def test_checkpointing_keeps_less_for_the_backward_pass():
    def kept(checkpointing):
        """Bytes that the generator's forward pass leaves behind for its backward pass."""
        from model import Generator

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
    device = CPU
    config = build_parser().parse_args(["--batch_size", "4"] + [f"--{k}={v}" for k, v in SMALL.items()])
    step = TrainingStep(config, TrainingState(config, device), Ranks(device), device)
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
        config = build_parser().parse_args(words)
        step = TrainingStep(config, TrainingState(config, CPU), Ranks(CPU), CPU)
        rng = torch.Generator().manual_seed(1)
        curve = []
        for i in range(1, 61):
            c_org = torch.arange(8) % 5
            x_real = torch.rand(8, 3, 16, 16, generator=rng) - c_org.view(8, 1, 1, 1) / 5
            c_trg, alpha = step.draw(i, c_org)
            parts = step.discriminator(x_real, c_org, c_trg, alpha)
            if i % 5 == 0:
                parts |= step.generator(x_real, c_org, c_trg)
            curve.append({name: value.item() for name, value in parts.items()})
        return curve

    full, half = losses_of("off"), losses_of("bf16")
    assert full[-1]["D/loss_cls"] < 0.7 * full[0]["D/loss_cls"]  # it learned something
    assert full[-1]["G/loss_rec"] < 0.9 * full[4]["G/loss_rec"]
    for there, here in zip(full, half, strict=True):  # the critic's own values drift: nothing holds their zero
        for name in there.keys() & {"D/loss_cls", "D/loss_gp", "G/loss_rec"}:
            assert here[name] == pytest.approx(there[name], abs=0.1), name
