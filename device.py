"""Which device computes, and in which precision."""

from __future__ import annotations

import os

import torch

AMP_CHOICES = ("auto", "bf16", "off")


def choose_device() -> torch.device:
    """The CUDA GPU of this process (torchrun's LOCAL_RANK), or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


def has_bf16(device: torch.device) -> bool:
    """Whether `device` computes bfloat16 in hardware, so that it is faster than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def half_precision(device: torch.device, amp: str = "auto") -> bool:
    """Whether to compute in bfloat16: where `amp` ("auto", "bf16", "off") and the hardware say so."""
    return amp == "bf16" or (amp == "auto" and has_bf16(device))


def autocast(device: torch.device, amp: str = "auto") -> torch.autocast:
    """The context the networks run in: bfloat16 or float32, as `half_precision` decides."""
    return torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device, amp))
