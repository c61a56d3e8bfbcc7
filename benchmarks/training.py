"""Seconds an iteration of training: the published StarGAN code's way and ours, in one run, as a table.

    python benchmarks/training.py [--image_size 128 --conv_dim 32 --batch_size 8] [--rounds 5] [--iterations 10]

The published way: float32, real and translated faces through the discriminator one after the other, the generator's
graph kept in the discriminator's step, every loss read at every iteration. All ways train on the same random faces on
the device, so that loading (benchmarks/data_pipeline.py) is left out, and take turns; logging every 10 iterations is
included, and a thousandth of the time a sample grid takes, as one is drawn every 1000. Defaults on a GPU: the README's
configuration, 256x256, 128 filters, batch 16.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from checkpointing.trained_generator import translate_to_all
from common.device import autocast, choose_device, half_precision, tune
from data_loader import TrainingBatch
from imaging.image_folder import LabelledImages
from losses import one_hot
from main import read_flags
from model import Discriminator, Generator, InstanceNorm
from solver import Solver
from training.safeguards import LossWatch

C_DIM = 5
N_CRITIC = 5
LOG_STEP = 10
SAMPLE_STEP = 1000
SAMPLED = 10  # faces in a grid

# Dense bf16 tensor-core peaks in TFLOP/s, from the makers' data sheets.
PEAKS = {"H100": 989.0, "H200": 989.0, "A100": 312.0}


class Way(ABC):
    """One way to train. `seconds` are those an iteration took in each round."""

    name: str
    amp: str

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.memory = 0.0

    @abstractmethod
    def iteration(self, i: int, x_real: Tensor, c_org: Tensor) -> None:
        """Train on a batch, log where it is time."""

    @abstractmethod
    def sample(self, x: Tensor) -> Tensor:
        """Faces translated to every emotion."""


class PublishedWay(Way):
    """yunjey/stargan's loop, which StarGAN-FE's follows."""

    name = "published way (fp32)"
    amp = "off"

    def __init__(self, args: argparse.Namespace, device: torch.device) -> None:
        super().__init__()
        self.G = with_pytorchs_norms(Generator(args.conv_dim, C_DIM, 6)).to(device)
        self.D = Discriminator(args.image_size, args.conv_dim, C_DIM, args.d_repeat_num).to(device)
        self.g_optimizer = torch.optim.Adam(self.G.parameters(), 0.0002, (0.5, 0.999))
        self.d_optimizer = torch.optim.Adam(self.D.parameters(), 0.0002, (0.5, 0.999))

    def iteration(self, i: int, x_real: Tensor, c_org: Tensor) -> None:
        c_trg = c_org[torch.randperm(len(c_org), device=c_org.device)]
        src, cls = self.D(x_real)
        real, cls_loss = -src.mean(), F.cross_entropy(cls, c_org)
        x_fake = self.G(x_real, one_hot(c_trg, C_DIM))
        fake = self.D(x_fake.detach())[0].mean()
        alpha = torch.rand(len(x_real), 1, 1, 1, device=x_real.device)
        x_hat = (alpha * x_real + (1 - alpha) * x_fake).detach().requires_grad_(True)
        src, _ = self.D(x_hat)
        (gradient,) = torch.autograd.grad(src, x_hat, torch.ones_like(src), retain_graph=True, create_graph=True)
        penalty = ((gradient.flatten(1).square().sum(1).sqrt() - 1) ** 2).mean()
        self._learn(self.d_optimizer, real + fake + cls_loss + 10 * penalty)
        losses = [part.item() for part in (real, fake, cls_loss, penalty)]
        if i % N_CRITIC == 0:
            x_fake = self.G(x_real, one_hot(c_trg, C_DIM))
            src, cls = self.D(x_fake)
            fake, cls_loss = -src.mean(), F.cross_entropy(cls, c_trg)
            rec = (x_real - self.G(x_fake, one_hot(c_org, C_DIM))).abs().mean()
            self._learn(self.g_optimizer, fake + 10 * rec + cls_loss)
            losses += [part.item() for part in (fake, rec, cls_loss)]

    def _learn(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        self.g_optimizer.zero_grad()
        self.d_optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def sample(self, x: Tensor) -> Tensor:
        labels = torch.eye(C_DIM, device=x.device)
        return torch.stack([self.G(x, label.expand(len(x), -1)) for label in labels], dim=1)


class OurWay(Way):
    """The steps of `solver.py`, with the flags in `changes`."""

    def __init__(self, name: str, args: argparse.Namespace, device: torch.device, **changes: object) -> None:
        super().__init__()
        self.name = name
        flags = {
            "image_size": args.image_size,
            "g_conv_dim": args.conv_dim,
            "d_conv_dim": args.conv_dim,
            "d_repeat_num": args.d_repeat_num,
            **changes,
        }
        settings = read_flags([f"--{flag}={value}" for flag, value in flags.items()])
        self.amp = settings.speed.amp
        self.solver = Solver(settings, LabelledImages([], [], []))
        self.state = self.solver.state
        self.device = device
        self.watch = LossWatch()

    def iteration(self, i: int, x_real: Tensor, c_org: Tensor) -> None:
        x_real = x_real.contiguous(memory_format=torch.channels_last)  # as the loader hands it out
        self.watch.add(i, self.solver.iteration(i, TrainingBatch(x_real, c_org)))
        self.state.advance(len(x_real))
        if i % LOG_STEP == 0:
            self.watch.read()

    def sample(self, x: Tensor) -> Tensor:
        with autocast(self.device, self.amp):
            return translate_to_all(self.state.generator, x, C_DIM)


def with_pytorchs_norms(G: Generator) -> Generator:
    """G as published: with PyTorch's InstanceNorm."""
    for module in list(G.modules()):
        for name, norm in list(module.named_children()):
            if isinstance(norm, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(norm.num_features, affine=True))
    return G


def ways_of(args: argparse.Namespace, device: torch.device) -> list[Way]:
    """All that are compared."""
    ways: list[Way] = [PublishedWay(args, device), OurWay("ours, `--amp off`", args, device, amp="off")]
    if half_precision(device):
        ways.append(OurWay("ours, bf16 (default)", args, device))
    if args.compile:
        amp = "auto" if half_precision(device) else "off"
        ways.append(OurWay(f"ours, `--amp {amp} --compile True`", args, device, amp=amp, compile=True))
    ways.append(OurWay("ours, `--gradient_checkpointing`", args, device, gradient_checkpointing=True))
    return ways


def measure(way: Way, args: argparse.Namespace, device: torch.device, number: int) -> None:
    """Run `args.iterations`, and remember the seconds of one with its share of a sample grid."""
    rng = torch.Generator().manual_seed(number)
    x_real = (torch.rand(args.batch_size, 3, args.image_size, args.image_size, generator=rng) * 2 - 1).to(device)
    c_org = (torch.arange(args.batch_size) % C_DIM).to(device)
    tune(way.amp, deterministic=False)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        resident = torch.cuda.memory_allocated(device)  # the weights of all the ways
    began = now(device)
    for i in range(1, args.iterations + 1):
        way.iteration(i, x_real, c_org)
    trained = now(device)
    way.sample(x_real[:SAMPLED])
    sampled = now(device)
    way.seconds.append((trained - began) / args.iterations + (sampled - trained) / SAMPLE_STEP)
    if device.type == "cuda":
        way.memory = max(way.memory, (torch.cuda.max_memory_allocated(device) - resident) / 2**30)


def now(device: torch.device) -> float:
    """The clock, once the device has done all it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def teraflop(args: argparse.Namespace) -> float:
    """What the mean iteration must compute, in 10¹² operations, from the two networks' forward passes of one image.

    A backward pass costs two forward ones. Discriminator step: one pass of G, which every fifth time is the generator
    step's own; D on real and translated faces, forward and backward (2·3); the penalty's pass, its gradient, and that
    differentiated (1 + 1 + 2). Generator step: G twice, forward and backward (2·3); D forward, and back to its
    input (2).
    """

    def forward(network: torch.nn.Module, *inputs: Tensor) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(*inputs)
        return counter.get_total_flops()

    x, c = torch.zeros(1, 3, args.image_size, args.image_size), torch.zeros(1, C_DIM)
    g = forward(Generator(args.conv_dim, C_DIM, 6), x, c)
    d = forward(Discriminator(args.image_size, args.conv_dim, C_DIM, args.d_repeat_num), x)
    return args.batch_size * (g + 10 * d + (5 * g + 2 * d) / N_CRITIC) / 1e12


def peak_of(device: torch.device) -> tuple[float, str]:
    """TFLOP/s the device computes at best in bf16, and where that figure is from."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        known = [peak for part, peak in PEAKS.items() if part in name]
        return (known[0], "dense bf16 peak") if known else (float("nan"), "peak unknown")
    dtype = torch.bfloat16 if half_precision(device) else torch.float32
    a, b = (torch.randn(n, m).to(dtype) for n, m in ((4096, 4608), (4608, 512)))
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2 * 4096 * 4608 * 512 / best / 1e12, f"a large {str(dtype)[6:]} matrix product's rate here"


def print_table(ways: list[Way], work: float, peak: float, of_what: str) -> None:
    """Medians over the rounds, their spread, and the share of the peak."""
    print(f"an iteration's mathematics: {work:.3f} TFLOP; {of_what}: {peak:.2f} TFLOP/s\n")
    print("| way | s an iteration | fastest to slowest | times faster | share of the peak | GiB beyond the weights |")
    print("| --- | --- | --- | --- | --- | --- |")
    for way in ways:
        median = statistics.median(way.seconds)
        times = statistics.median(a / b for a, b in zip(ways[0].seconds, way.seconds, strict=True))
        memory = f"{way.memory:.1f}" if way.memory else "–"
        print(
            f"| {way.name} | {median:.3f} | {min(way.seconds):.3f} to {max(way.seconds):.3f} | {times:.2f} | "
            f"{work / median / peak:.0%} | {memory} |"
        )


def main() -> None:
    """Measure and print."""
    device = choose_device()
    size, dim, batch = (256, 128, 16) if device.type == "cuda" else (128, 32, 8)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image_size", type=int, default=size)
    parser.add_argument("--conv_dim", type=int, default=dim)
    parser.add_argument("--batch_size", type=int, default=batch)
    parser.add_argument("--d_repeat_num", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=10, help="of each way in a round; a multiple of 10")
    parser.add_argument("--compile", action="store_true", help="also the compiled step")
    args = parser.parse_args()
    torch.manual_seed(0)
    work, (peak, of_what) = teraflop(args), peak_of(device)
    ways = ways_of(args, device)
    for way in ways:
        measure(way, args, device, 0)  # compiles, chooses kernels
        way.seconds.clear()
    for number in range(1, args.rounds + 1):
        for way in ways:
            measure(way, args, device, number)
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    print(
        f"{device.type} ({hardware}), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{torch.get_num_threads()} threads; torch {torch.__version__}; {args.image_size}x{args.image_size}, "
        f"{args.conv_dim} filters, batch {args.batch_size}, {args.rounds} rounds of {args.iterations} iterations"
    )
    print_table(ways, work, peak, of_what)


if __name__ == "__main__":
    main()
