"""The training step as the paper's formulas say it, by autograd alone: what the fast step is compared with."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn

from losses import one_hot
from model import InstanceNorm


def autograd_penalty(D, x_real, x_fake, alpha):
    """mean((‖∇ D_src(x̂)‖₂ − 1)²), the gradient by autograd, differentiated a second time."""
    x_hat = (alpha * x_real + (1 - alpha) * x_fake).requires_grad_(True)
    (gradient,) = torch.autograd.grad(D(x_hat)[0].sum(), x_hat, create_graph=True)
    return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()


def plainly(G):
    """G with PyTorch's own InstanceNorm in place of ours."""
    for module in list(G.modules()):
        for name, norm in list(module.named_children()):
            if isinstance(norm, InstanceNorm):
                plain = nn.InstanceNorm2d(norm.num_features, affine=True).to(norm.weight.dtype)
                plain.load_state_dict(norm.state_dict())
                setattr(module, name, plain)
    return G


def reference_training(G, D, settings, batches, dtype):
    """Both networks' steps on each (x_real, c_org, c_trg, alpha); yields the losses of each iteration."""
    G = plainly(G)
    networks, lambdas, schedule = settings.networks, settings.losses, settings.schedule
    g_adam = torch.optim.Adam(G.parameters(), schedule.g_lr, (schedule.beta1, schedule.beta2))
    d_adam = torch.optim.Adam(D.parameters(), schedule.d_lr, (schedule.beta1, schedule.beta2))

    def translated(x, c):
        return G.main(
            torch.cat([x, one_hot(c, networks.c_dim).to(dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
        )

    for i, (x_real, c_org, c_trg, alpha) in zip(itertools.count(1), batches, strict=False):
        x_fake = translated(x_real, c_trg).detach()
        src, cls = D(x_real)
        losses = {
            "D/loss_real": -src.mean(),
            "D/loss_fake": D(x_fake)[0].mean(),
            "D/loss_cls": F.cross_entropy(cls, c_org),
            "D/loss_gp": autograd_penalty(D, x_real, x_fake, alpha),
        }
        weights = 1, 1, lambdas.lambda_cls, lambdas.lambda_gp
        d_adam.zero_grad()
        sum(weight * loss for weight, loss in zip(weights, losses.values(), strict=True)).backward()
        d_adam.step()
        if i % schedule.n_critic == 0:
            x_fake = translated(x_real, c_trg)
            src, cls = D(x_fake)
            ours = {
                "G/loss_fake": -src.mean(),
                "G/loss_cls": F.cross_entropy(cls, c_trg),
                "G/loss_rec": (x_real - translated(x_fake, c_org)).abs().mean(),
            }
            weights = 1, lambdas.lambda_cls, lambdas.lambda_rec
            g_adam.zero_grad()
            sum(weight * loss for weight, loss in zip(weights, ours.values(), strict=True)).backward()
            g_adam.step()
            losses |= ours
        yield {name: loss.item() for name, loss in losses.items()}
