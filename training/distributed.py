"""Many processes train one model, as `torchrun` starts them: who is who, and everything they say to each other.

Gradients are averaged on the devices (NCCL, or gloo on CPUs). What decides how the run goes on (stop? which losses?)
goes over gloo, host to host, so that no GPU is waited for, and a process that died is noticed at once.
"""

from __future__ import annotations

import atexit
import datetime
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from common.errors import RunStopped, UserError

TIMEOUT = datetime.timedelta(hours=1)  # the others wait so long where one process scores, or waits for a disk


class Ranks:
    """The processes of this run. Without `torchrun` it is one, and nothing here costs anything."""

    def __init__(self, device: torch.device) -> None:
        self.rank = int(os.environ.get("RANK", 0))
        self.world_size = int(os.environ.get("WORLD_SIZE", 1))
        self.device = device
        self._hosts: Any = None
        self._lost = False
        if self.world_size == 1:
            return
        if device.type == "cuda":
            _require_gpus(int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count())
            torch.cuda.set_device(device)
        store, rank, world_size = next(rendezvous("env://", timeout=TIMEOUT))
        # The store still holds the addresses of processes that died: a restarted run must not take them for its own.
        store = PrefixStore(f"restart {self.restarts}", store)
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=TIMEOUT)
        self._hosts = dist.new_group(backend="gloo", timeout=TIMEOUT)
        atexit.register(self._leave)  # after a mistake, too: a thread of gloo's still at work would abort the process

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @property
    def restarts(self) -> int:
        """How often `torchrun --max_restarts` has started this run anew after a process died."""
        return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))

    @property
    def may_restart(self) -> bool:
        """Whether `torchrun` will start this run anew should a process die."""
        return int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", 0)) > self.restarts

    def say(self, sentence: str) -> None:
        """Print a sentence once, not once a process."""
        if self.is_first:
            print(sentence, flush=True)

    # --- on the devices ---------------------------------------------------------------------------------------

    def average_gradients(self, network: torch.nn.Module) -> None:
        """Replace each gradient by its mean over the processes, all in one message."""
        if self.world_size == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        with self._talking():
            dist.all_reduce(flat)
        flat /= self.world_size
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def labels_of_all(self, c: Tensor) -> Tensor:
        """The labels [B] of every process on the device, [world_size·B], in rank order."""
        if self.world_size == 1:
            return c
        labels = [torch.empty_like(c) for _ in range(self.world_size)]
        with self._talking():
            dist.all_gather(labels, c)
        return torch.cat(labels)

    def own_part(self, of_all: Tensor) -> Tensor:
        """This process's part of something that has one row for each sample of all."""
        return of_all.chunk(self.world_size)[self.rank]

    # --- between the hosts ------------------------------------------------------------------------------------

    def highest(self, values: Sequence[int]) -> list[int]:
        """The maximum of each value over the processes."""
        return [int(v) for v in self._reduced(values, dist.ReduceOp.MAX)]

    def mean(self, values: Sequence[float]) -> list[float]:
        """The mean of each value over the processes; not finite where one of them is not."""
        return [v / self.world_size for v in self._reduced(values, dist.ReduceOp.SUM)]

    def gather(self, rows: Tensor) -> Tensor:
        """The rows [n, …] of every process, which may differ in number, joined in rank order; on the CPU."""
        if self.world_size == 1:
            return rows
        parts: list[Any] = [None] * self.world_size
        with self._talking():
            dist.all_gather_object(parts, rows.cpu(), group=self._hosts)
        return torch.cat(parts)

    @contextmanager
    def first_before_the_others(self) -> Iterator[None]:
        """A block that the others run once the first process has run it; a mistake found there ends them too."""
        if not self.is_first and self.highest([0])[0]:
            raise UserError("the first process has said what is wrong")
        try:
            yield
        except UserError:
            if self.is_first:
                self.highest([1])
            raise
        if self.is_first:
            self.highest([0])

    def _leave(self) -> None:
        """Leave the group, unless NCCL would wait there for the dead."""
        if not (self._lost and self.device.type == "cuda"):
            dist.destroy_process_group()

    def _reduced(self, values: Sequence[float], how: dist.ReduceOp.RedOpType) -> list[float]:
        if self.world_size == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        with self._talking():
            dist.all_reduce(shared, how, group=self._hosts)
        return shared.tolist()

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """One sentence where another process is gone."""
        try:
            yield
        except RuntimeError as error:
            self._lost = True
            reason = str(error).splitlines()[0][:120]
            raise RunStopped(
                f"process {self.rank} of {self.world_size} has lost the others, of which one has died or stopped (its "
                f"own message says why; here: {reason}): the same command with --resume_iters latest"
            ) from error


def end_process(code: int) -> NoReturn:
    """End this process with an exit code; at once if it is one of several.

    While Python ends, a thread of gloo's may still free its work, and now and then that aborts the process.
    """
    if dist.is_available() and dist.is_initialized():
        atexit._run_exitfuncs()  # leaves the group, closes what is open
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _require_gpus(processes: int, gpus: int) -> None:
    """Raise `UserError` unless each process of this machine has a GPU of its own."""
    if processes > gpus:
        raise UserError(
            f"torchrun started {processes} processes on a machine of {gpus} GPUs: give it --nproc_per_node={gpus}"
        )


def require_agreement(ranks: Ranks, what: str, value: int, remedy: str) -> None:
    """Raise `UserError` with the `remedy` unless `value` is the same in every process."""
    highest, lowest = ranks.highest([value, -value])
    if highest != -lowest:
        raise UserError(f"the processes of this run disagree on {what} ({-lowest} and {highest}): {remedy}")
