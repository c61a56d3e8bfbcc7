"""The two networks of StarGAN (arXiv 1711.09020, tables 4 and 5), with StarGAN-TA's LeakyReLU in the generator.

Images are [-1, 1], NCHW. InstanceNorm always uses the statistics of the image itself, in training and in use:
it does not track, so `train()` and `eval()` are the same function.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

SLOPE = 0.01  # of every LeakyReLU


def _conv(dim_in: int, dim_out: int, kernel: int, stride: int, padding: int) -> nn.Conv2d:
    return nn.Conv2d(dim_in, dim_out, kernel, stride, padding, bias=False)


class _NormByHand(torch.autograd.Function):
    """Instance normalisation whose backward pass, too, reads and writes channels-last memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        b, c, height, width = x.shape
        # One channel a group is instance normalisation, and PyTorch's kernel for it keeps the memory layout.
        y, mean, rstd = torch.native_group_norm(x, weight, bias, b, c, height * width, c, eps)
        wide = torch.promote_types(x.dtype, torch.float32)
        ctx.save_for_backward(x, weight, mean.to(wide), rstd.to(wide))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, rstd = ctx.saved_tensors
        grad_sum = _sum_of_pixels(grad)
        # d/dweight, before the sum over the batch: the sum of grad times the normalised x.
        grad_dot = (_sum_of_pixels(grad * x) - mean * grad_sum) * rstd
        scale = weight.to(rstd.dtype) * rstd
        slope = -scale * rstd * grad_dot / x[0, 0].numel()
        offset = -scale * grad_sum / x[0, 0].numel() - slope * mean
        rest = torch.addcmul(_per_channel(offset, x), x, _per_channel(slope, x))
        grad_x = torch.addcmul(rest, grad, _per_channel(scale, x))
        return grad_x, grad_dot.sum(0).to(weight.dtype), grad_sum.sum(0).to(weight.dtype), None


def _sum_of_pixels(x: Tensor) -> Tensor:
    """[B, C, H, W], channels last in memory -> [B, C], added up in float32 or better."""
    return x.permute(0, 2, 3, 1).flatten(1, 2).sum(1, dtype=torch.promote_types(x.dtype, torch.float32))


def _per_channel(numbers: Tensor, x: Tensor) -> Tensor:
    return numbers.to(x.dtype)[:, :, None, None]


class InstanceNorm(nn.InstanceNorm2d):
    """Affine instance normalisation by the image's own statistics, for images that lie channels last in memory.

    PyTorch's own copies such images to the other layout and back, forwards and backwards, which costs more than the
    arithmetic. The numbers are the same.
    """

    def __init__(self, dim: int) -> None:
        super().__init__(dim, affine=True, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, dim, H, W] -> [B, dim, H, W]."""
        if torch.compiler.is_exporting():
            return super().forward(x)  # one operator of ONNX
        if torch.compiler.is_compiling():  # the compiler fuses these lines with the activation that follows
            wide = x.to(torch.promote_types(x.dtype, torch.float32))
            var, mean = torch.var_mean(wide, (2, 3), correction=0, keepdim=True)
            scale = self.weight[:, None, None] * torch.rsqrt(var + self.eps)
            return ((wide - mean) * scale + self.bias[:, None, None]).to(x.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        return _NormByHand.apply(x, self.weight, self.bias, self.eps)


class ResidualBlock(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))), keeping the number of channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _conv(dim, dim, 3, 1, 1),
            InstanceNorm(dim),
            nn.ReLU(inplace=True),
            _conv(dim, dim, 3, 1, 1),
            InstanceNorm(dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, dim, H, W] -> [B, dim, H, W]."""
        return x + self.main(x)


class Generator(nn.Module):
    """Translates an image to the domain its one-hot label names."""

    def __init__(self, conv_dim: int = 128, c_dim: int = 5, repeat_num: int = 6) -> None:
        super().__init__()
        self.gradient_checkpointing = False  # forget activations, and compute them again where gradients need them
        d = conv_dim

        def block(conv: nn.Module, dim: int) -> list[nn.Module]:
            return [conv, InstanceNorm(dim), nn.LeakyReLU(SLOPE, inplace=True)]

        def up(dim_in: int, dim_out: int) -> nn.Module:
            return nn.ConvTranspose2d(dim_in, dim_out, 4, 2, 1, bias=False)

        self.main = nn.Sequential(
            *block(_conv(3 + c_dim, d, 7, 1, 3), d),
            *block(_conv(d, 2 * d, 4, 2, 1), 2 * d),
            *block(_conv(2 * d, 4 * d, 4, 2, 1), 4 * d),
            *(ResidualBlock(4 * d) for _ in range(repeat_num)),
            *block(up(4 * d, 2 * d), 2 * d),
            *block(up(2 * d, d), d),
            _conv(d, 3, 7, 1, 3),
            nn.Tanh(),
        )

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Images `x` [B, 3, H, W] and one-hot labels `c` [B, c_dim] -> images [B, 3, H, W] in [-1, 1]."""
        c = c.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        h = torch.cat([x, c], dim=1)
        layers, tanh = self.main[:-1], self.main[-1]
        if self.gradient_checkpointing and torch.is_grad_enabled():
            for segment in _segments(layers):
                h = checkpoint(segment, h, use_reentrant=False)
        else:
            h = layers(h)
        # In bfloat16 it is exactly 1 from 3.5 on, and its gradient 0: bright and black pixels would learn nothing.
        return tanh(h.to(torch.promote_types(h.dtype, torch.float32)))


def _segments(layers: nn.Sequential) -> list[nn.Sequential]:
    """The layers in about as many parts as each part has, none of which begins with a layer that works in place."""
    starts = [i for i, layer in enumerate(layers) if not isinstance(layer, (nn.LeakyReLU, InstanceNorm))]
    stride = math.ceil(len(starts) / round(math.sqrt(len(layers))))
    cuts = [*starts[::stride], len(layers)]
    return [layers[begin:end] for begin, end in itertools.pairwise(cuts)]


class Discriminator(nn.Module):
    """PatchGAN critic with a second head that names the domain."""

    def __init__(self, image_size: int = 256, conv_dim: int = 128, c_dim: int = 5, repeat_num: int = 6) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        dim_in = 3
        for i in range(repeat_num):
            dim_out = conv_dim * 2**i
            layers += [nn.Conv2d(dim_in, dim_out, 4, 2, 1), nn.LeakyReLU(SLOPE)]
            dim_in = dim_out
        self.main = nn.Sequential(*layers)
        self.conv1 = _conv(dim_in, 1, 3, 1, 1)
        self.conv2 = _conv(dim_in, c_dim, image_size // 2**repeat_num, 1, 0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 3, S, S] -> realness of patches [B, 1, S/2^r, S/2^r], domain logits [B, c_dim]."""
        h = self.main(x)
        return self.conv1(h), self.conv2(h).flatten(1)

    def layers(self) -> list[nn.Sequential]:
        """The strided convolutions that both heads share, each with its activation."""
        return [self.main[i : i + 2] for i in range(0, len(self.main), 2)]

    def input_gradient(self, x: Tensor) -> Tensor:
        """∇ₓ ΣD_src(x) of each image, [B, 3, S, S] -> [B, 3, S, S]; backward() through it reaches all weights of D_src.

        The body is piecewise linear: where each LeakyReLU has slope s ∈ {1, 0.01} the gradient is the chain of
        transposed convolutions with the same weights, each multiplied by s. Almost everywhere the slopes do not depend
        on the weights, so that the chain is all there is to differentiate: no second derivative, and no convolution
        with a feature map for a filter.
        """
        convs = [layer for layer in self.main if isinstance(layer, nn.Conv2d)]
        slopes = []
        with torch.no_grad():
            for conv in convs:
                h = conv(x)
                slopes.append(torch.where(h > 0, 1.0, SLOPE).to(h.dtype))
                x = F.leaky_relu(h, SLOPE)
        gradient = F.conv_transpose2d(x.new_ones(len(x), 1, *x.shape[2:]), self.conv1.weight, padding=1)
        for conv, slope in zip(reversed(convs), reversed(slopes), strict=True):
            gradient = F.conv_transpose2d(gradient * slope, conv.weight, stride=2, padding=1)
        return gradient
