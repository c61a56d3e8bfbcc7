"""Which device computes, in which precision, and on how much memory."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path

import torch


def choose_device() -> torch.device:
    """The CUDA GPU of this process (torchrun's LOCAL_RANK), Apple's GPU, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """The name its maker gave the device, and which of several it is."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "mps":
        return f"{platform.processor() or platform.machine()} (Apple's GPU)"
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()} (CPU)"


def has_bf16(device: torch.device) -> bool:
    """Whether `device` computes bfloat16 in hardware, so that it is faster than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def half_precision(device: torch.device, amp: str = "auto") -> bool:
    """Whether to compute in bfloat16: where `amp` ("auto", "bf16", "off") and the hardware say so.

    Apple's GPU computes in float32: nothing else was tried there.
    """
    if device.type == "mps":
        return False
    return amp == "bf16" or (amp == "auto" and has_bf16(device))


def tune(amp: str, deterministic: bool) -> None:
    """Let cuDNN look for its fastest kernels, and use TF32 for what stays float32; bit-identical where asked.

    With `amp` "off" everything is true float32: the reference that the fast ways are compared with.
    """
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.allow_tf32 = amp != "off"
    torch.set_float32_matmul_precision("highest" if amp == "off" else "high")
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with this
        torch.use_deterministic_algorithms(True)


def peak_memory(device: torch.device) -> float:
    """The most memory this process has used so far, in GiB: of its CUDA GPU, else of the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def autocast(device: torch.device, amp: str = "auto") -> torch.autocast:
    """The context the networks run in: bfloat16 or float32, as `half_precision` decides."""
    return torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device, amp))
