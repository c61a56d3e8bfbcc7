"""Everything that moves while training: two networks, their optimisers, the average, and how far they have come.

What is here and the random seed decide all that follows, so a run that goes on from a saved state is the unbroken run.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from checkpointing import network_files, run_config, tensor_file, training_sets
from checkpointing.tensor_file import DamagedCheckpoint, tensors_of
from common.errors import UserError
from common.settings import NetworkSettings, ScheduleSettings
from model import SLOPE, Discriminator, Generator
from training.copying_start import COPY, start_copying


def update_step(num_iters_decay: int, lr_update_step: int) -> int:
    """Iterations between changes of the rates: a tenth of a decay that is shorter than the step asked for."""
    return max(1, num_iters_decay // 10) if lr_update_step > num_iters_decay else lr_update_step


def learning_rate(lr: float, i: int, num_iters: int, num_iters_decay: int, lr_update_step: int) -> float:
    """The rate after iteration `i`: `lr`, falling linearly to 0 over the last `num_iters_decay` iterations.

    It changes at multiples of `lr_update_step` only, and depends on `i` alone, so a resumed run has the rate an
    unbroken run would have (the published code decays by 0.1 % instead of to zero).
    """
    num_iters_decay = min(num_iters_decay, num_iters)
    updated = i - i % update_step(num_iters_decay, lr_update_step)
    if updated <= num_iters - num_iters_decay:
        return lr
    return lr * (num_iters - updated) / num_iters_decay


def average_decay(highest: float, updates: int) -> float:
    """The moving average's decay after so many updates, as TensorFlow's ExponentialMovingAverage ramps it.

    At a constant 0.998 three quarters of the average are still the random first weights after 150 updates.
    """
    return min(highest, (1 + updates) / (10 + updates))


class TrainingState:
    """Networks and optimisers as the settings ask for them, new from the random seed until `load`."""

    def __init__(
        self,
        networks: NetworkSettings,
        schedule: ScheduleSettings,
        device: torch.device,
        gradient_checkpointing: bool = False,
    ) -> None:
        self.networks = networks
        self.schedule = schedule
        torch.manual_seed(schedule.seed)
        self.G = Generator(networks.g_conv_dim, networks.c_dim, networks.g_repeat_num)
        self.G.gradient_checkpointing = gradient_checkpointing
        self.D = Discriminator(networks.image_size, networks.d_conv_dim, networks.c_dim, networks.d_repeat_num)
        if schedule.d_warmup:
            _keep_signals_up(self.D)
        self.d_warmup = schedule.d_warmup  # first iterations in which D alone learns
        for network in (self.G, self.D):
            network.to(device).to(memory_format=torch.channels_last)
        self.ema = AveragedModel(self.G) if schedule.ema_decay else None
        self.ema_ramps = True  # not in runs that began before it did
        betas = (schedule.beta1, schedule.beta2)
        self.g_optimizer = torch.optim.Adam(self.G.parameters(), schedule.g_lr, betas, fused=True)
        self.d_optimizer = torch.optim.Adam(self.D.parameters(), schedule.d_lr, betas, fused=True)
        self.iteration = 0  # iterations done
        self.samples_seen = 0  # place in the stream of training samples
        self.sampled = 0  # the last iteration whose sample grid was drawn and scored
        self.best_score = math.inf
        self.lr_factor = 1.0  # below 1 after a loss was not finite
        self.last_losses: dict[str, float] = {}  # losses as of this iteration: the generator's are of its last step
        self.set_learning_rates()
        self.begins_with = self._start_from(schedule.init) if schedule.init else "random weights"

    def _start_from(self, path: Path) -> str:
        """Take the generator at `path` for the beginning, or weights that copy the image; says what it took."""
        if str(path) == COPY:
            start_copying(self.G)
            if self.ema:
                self.ema.module.load_state_dict(self.G.state_dict())
            return "random weights that copy the image"
        self._fill_generator(path)
        discriminator = run_config.discriminator_beside(path)
        if not discriminator:
            return f"{path}; D with random weights, as none lies beside it"
        weights, found = network_files.discriminator_weights(discriminator, self.networks.c_dim)
        other = network_files.differences(found, self._sizes("d_conv_dim", "d_repeat_num", "c_dim", "image_size"))
        if other:
            learned = " ".join(f"--{flag} {has}" for flag, has in other.items())
            return f"{path}; D with random weights, as {discriminator.name} was trained with {learned}"
        _fill(self.D, weights, discriminator)
        self.d_warmup = 0  # it can name the emotions
        return f"{path} and {discriminator.name}"

    def _sizes(self, *flags: str) -> dict[str, int]:
        return {flag: getattr(self.networks, flag) for flag in flags}

    def _fill_generator(self, path: Path) -> None:
        weights, found = network_files.generator_weights(path, self.networks.c_dim)
        network_files.require(found, path, self._sizes("g_conv_dim", "g_repeat_num", "c_dim"))
        _fill(self.G, weights, path)
        if self.ema:
            _fill(self.ema.module, weights, path)

    @property
    def generator(self) -> nn.Module:
        """The generator one uses: the moving average when it is on."""
        return self.ema.module if self.ema else self.G

    def average(self) -> None:
        """Move the average of the generator's weights, where it is on, towards those of now."""
        if self.ema:
            decay = self.schedule.ema_decay
            if self.ema_ramps:
                decay = average_decay(decay, int(self.ema.n_averaged))
            self.ema.multi_avg_fn = get_ema_multi_avg_fn(decay)
            self.ema.update_parameters(self.G)

    def set_learning_rates(self) -> None:
        """Give both optimisers the rate that is due after this iteration."""
        schedule = self.schedule
        steps = (self.iteration, schedule.num_iters, schedule.num_iters_decay, schedule.lr_update_step)
        for optimizer, lr in ((self.g_optimizer, schedule.g_lr), (self.d_optimizer, schedule.d_lr)):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(lr, *steps) * self.lr_factor

    def lower_rates(self, factor: float) -> None:
        """Take at most `factor` times the scheduled learning rates from now on."""
        self.lr_factor = min(self.lr_factor, factor)
        self.set_learning_rates()

    def learning_rates(self) -> dict[str, float]:
        """Both rates, as they are logged."""
        return {
            "G/lr": self.g_optimizer.param_groups[0]["lr"],
            "D/lr": self.d_optimizer.param_groups[0]["lr"],
        }

    def parts(self) -> dict[str, dict[str, Any]]:
        """The contents of the three files of a set."""
        state: dict[str, Any] = {
            "iteration": self.iteration,
            "samples_seen": self.samples_seen,
            "sampled": self.sampled,
            "best_score": self.best_score,
            "lr_factor": self.lr_factor,
            "told": self.last_losses,
            "g_optimizer": self.g_optimizer.state_dict(),
            "d_optimizer": self.d_optimizer.state_dict(),
        }
        if self.ema:  # the G file holds the average; what the optimiser moves is kept here
            state |= {"G": self.G.state_dict(), "ema_updates": self.ema.n_averaged, "ema_ramps": self.ema_ramps}
        return {"G": self.generator.state_dict(), "D": self.D.state_dict(), "state": state}

    def not_finite(self) -> str | None:
        """The name of a tensor that holds NaN or infinity (a weight, or an optimiser's moment), if there is one."""
        for name, tensor in tensors_of(self.parts()).items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                return name
        return None

    def advance(self, samples: int) -> None:
        """One iteration over `samples` images is done."""
        self.iteration += 1
        self.samples_seen += samples
        self.set_learning_rates()

    def load(self, folder: Path, name: int | str) -> str:
        """Go on from a full set, or from bare G and D files of other repos with new optimisers; says from which."""
        self._load_networks(folder, name)
        path = training_sets.path_of(folder, name, "state")
        if not path.exists():
            self.iteration = name if isinstance(name, int) else 0
            self.samples_seen = self.iteration * self.schedule.batch_size
            self.sampled = self.iteration
            return f"resuming from bare networks of iteration {name}: the optimisers start anew"
        state = tensor_file.read(path)
        training_sets.require_together(folder, name, state)
        try:
            self._take(state)
        except (KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise DamagedCheckpoint(
                f"{path} is not the training state of these networks ({reason}): use another set"
            ) from error
        return f"resuming from iteration {self.iteration}"

    def _take(self, state: dict[str, Any]) -> None:
        for name, kind in (("iteration", int), ("samples_seen", int), ("best_score", float)):
            if type(state[name]) is not kind:
                raise TypeError(f"{name} is no {kind.__name__}")
        self.iteration, self.samples_seen = state["iteration"], state["samples_seen"]
        self.best_score = state["best_score"]
        self.sampled = int(state.get("sampled", self.iteration))
        self.lr_factor = float(state.get("lr_factor", 1.0))
        self.last_losses = {str(name): float(value) for name, value in state.get("told", {}).items()}
        for key, optimizer in (("g_optimizer", self.g_optimizer), ("d_optimizer", self.d_optimizer)):
            _require_moments(optimizer, state[key])
            optimizer.load_state_dict(state[key])
            for group in optimizer.param_groups:  # the moments are the saved ones, the flags this start's
                group["betas"] = (self.schedule.beta1, self.schedule.beta2)
        if "G" in state:
            self.G.load_state_dict(state["G"])
            if self.ema:
                self.ema.n_averaged.copy_(state["ema_updates"])
                self.ema_ramps = bool(state.get("ema_ramps", False))
        self.set_learning_rates()

    def _load_networks(self, folder: Path, name: int | str) -> None:
        self._fill_generator(training_sets.path_of(folder, name, "G"))
        path = training_sets.path_of(folder, name, "D")
        weights, found = network_files.discriminator_weights(path, self.networks.c_dim)
        network_files.require(found, path, self._sizes("d_conv_dim", "d_repeat_num", "c_dim", "image_size"))
        _fill(self.D, weights, path)


def _keep_signals_up(D: Discriminator) -> None:
    """He's initialisation (arXiv 1502.01852) of D's shared layers.

    PyTorch's own makes signals smaller from layer to layer. The gradients that reach the first ones are so small that
    a D of five layers named no emotion after 2,000 iterations of a warm-up.
    """
    for conv in D.main:
        if isinstance(conv, nn.Conv2d):
            nn.init.kaiming_normal_(conv.weight, a=SLOPE)
            nn.init.zeros_(cast(Tensor, conv.bias))


def _fill(network: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Copy `weights` into a network whose memory is already taken: a wrong shape costs nothing."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path} does not fit the network ({reason[:160]}): use another checkpoint") from error


def _require_moments(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Refuse Adam moments whose shapes are not those of the parameters: torch itself would find out much later."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, moments in saved["state"].items():
        for name in ("exp_avg", "exp_avg_sq"):
            if moments[name].shape != parameters[index].shape:
                raise ValueError(f"{name} of parameter {index} has another shape")
