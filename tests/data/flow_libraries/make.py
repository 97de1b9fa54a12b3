"""Makes small checkpoints of vector flows with nflows 0.14 and normflows 1.7.3, and records what they compute.

    python3 make.py OUT

Needs both packages and PyTorch (made with 1.13.1 on CPU). Weights and inputs are random; a checkpoint is the f32 state
dict, and `z` and `log_prob` are computed from the values in it in f64.
"""

import sys
import types
from pathlib import Path

# nflows imports these for pictures and for a layer that is not used here.
for name in ("matplotlib", "matplotlib.pyplot", "UMNN"):
    module = sys.modules.setdefault(name, types.ModuleType(name))
    module.pyplot = module.NeuralIntegral = module.ParallelNeuralIntegral = module
import normflows as nf
import numpy as np
import torch
from nflows import transforms
from nflows.distributions.normal import StandardNormal
from nflows.flows.base import Flow
from nflows.flows.realnvp import SimpleRealNVP
from nflows.nn import nets

COUNT = 6
SEED = 41


class Mlp(nets.MLP):
    """The library's, taking the context that its couplings pass."""

    def forward(self, inputs, context=None):
        return super().forward(inputs)


def mlp(*hidden):
    return lambda inputs, outputs: Mlp([inputs], [outputs], list(hidden), activation=torch.relu)


def residual(inputs, outputs):
    return nets.ResidualNet(inputs, outputs, hidden_features=4, num_blocks=1)


def nflows_mixed():
    layers = [
        transforms.ActNorm(6),
        transforms.RandomPermutation(6),
        transforms.LULinear(6, identity_init=False),
        transforms.AffineCouplingTransform(torch.tensor([1, 1, 1, 0, 0, 0]), mlp(7, 5)),
        transforms.ReversePermutation(6),
        transforms.CompositeTransform(
            [
                transforms.AffineCouplingTransform(torch.tensor([0, 1, 1, 0, 0, 1]), residual),
                transforms.AdditiveCouplingTransform(torch.tensor([1, 0, 0, 1, 1, 0]), mlp(4, 4, 4)),
            ]
        ),
    ]
    return Flow(transforms.CompositeTransform(layers), StandardNormal([6]))


def normflows_blocks(dims, scale_map, trainable):
    flows = []
    upper = (dims + 1) // 2
    flows += [nf.flows.ActNorm(dims)]
    for _ in range(3):
        network = nf.nets.MLP([upper, 6, 4, 2 * (dims - upper)])
        flows += [nf.flows.AffineCouplingBlock(network, scale_map=scale_map), nf.flows.Permute(dims, mode="swap")]
    return nf.NormalizingFlow(nf.distributions.base.DiagGaussian(dims, trainable=trainable), flows)


def normflows_masked(dims):
    flows = []
    mask = torch.tensor([float(i % 2) for i in range(dims)])
    for i in range(4):
        s, t = (nf.nets.MLP([dims, 5, width, dims]) for width in (5, 3))
        flows += [nf.flows.MaskedAffineFlow(mask if i % 2 else 1 - mask, t, s), nf.flows.ActNorm(dims)]
        flows += [nf.flows.Permute(dims, mode="shuffle")] if i == 1 else []
    return nf.NormalizingFlow(nf.distributions.base.DiagGaussian(dims), flows)


def normflows_glow(shape, scale_map, use_lu):
    (channels, height, width), levels = shape, 2
    bases, merges, flows = [], [], []
    for i in range(levels):
        block = lambda: nf.flows.GlowBlock(channels * 2 ** (levels + 1 - i), 3, scale_map=scale_map, use_lu=use_lu)
        flows.append([block(), block(), nf.flows.Squeeze()])
        merges += [nf.flows.Merge()] if i > 0 else []
        left = channels * 2 ** (levels - i + (i == 0))
        bases.append(nf.distributions.GlowBase((left, height >> (levels - i), width >> (levels - i))))
    model = nf.MultiscaleFlow(bases, flows, merges, transform=nf.transforms.Logit(0.05), class_cond=False)
    model.shape = shape
    return model


MODELS = {
    "nflows_real_nvp": lambda: SimpleRealNVP(
        5, 4, 3, 2, batch_norm_within_layers=True, batch_norm_between_layers=True
    ),
    "nflows_even": lambda: SimpleRealNVP(4, 3, 4, 1),
    "nflows_mixed": nflows_mixed,
    "normflows_blocks": lambda: normflows_blocks(5, "exp", True),
    "normflows_sigmoid": lambda: normflows_blocks(2, "sigmoid", False),
    "normflows_masked": lambda: normflows_masked(4),
    "normflows_glow": lambda: normflows_glow((1, 8, 8), "sigmoid", True),
    "normflows_glow_exp": lambda: normflows_glow((3, 8, 4), "exp", False),
}


def randomize(model):
    for name, tensor in model.state_dict().items():
        last = name.rsplit(".", 1)[-1]
        if not tensor.is_floating_point() or last in ("b", "_log_z", "P", "eye", "sign_S", "W") or "q0" in name:
            pass
        elif last == "data_dep_init_done":
            tensor.fill_(1.0)
        elif last == "running_var":
            tensor.copy_(0.5 + torch.rand_like(tensor))
        elif "norm" in name and last == "weight":
            tensor.copy_(1 + 0.3 * torch.randn_like(tensor))
        else:
            fan_in = tensor[0].numel() if tensor.dim() == 4 and "net" in name else 1
            tensor.copy_(0.5 * torch.randn_like(tensor) / fan_in**0.5)
    for name, tensor in model.named_parameters():
        if name.startswith("q0."):
            tensor.data.copy_(0.3 * torch.randn_like(tensor))
        if name.endswith("initialized"):
            tensor.fill_(True)
    for module in model.modules():
        if isinstance(module, transforms.ActNorm):
            module.initialized.data.fill_(True)


def latent(model, x):
    if isinstance(model, Flow):
        return model.transform_to_noise(x)
    z = model.inverse(x)
    # A standard normal, as if the base's mean and deviation were a last layer.
    return (z - model.q0.loc) / torch.exp(model.q0.log_scale)


def vector_outputs(model):
    x = torch.randn(COUNT, model._distribution._shape[0] if isinstance(model, Flow) else model.q0.loc.shape[1])
    with torch.no_grad():
        log_prob, z = model.log_prob(x.double()), latent(model, x.double())
    return {"inputs": x.numpy(), "z": z.numpy(), "log_prob": log_prob.numpy()}


def image_outputs(model):
    """The density of (bytes + noise) / 256."""
    images = torch.randint(0, 256, (COUNT, *model.shape), dtype=torch.uint8)
    noise = torch.rand(COUNT, *model.shape)
    with torch.no_grad():
        log_prob = model.log_prob((images.double() + noise.double()) / 256, None)
    return {"images": images.numpy(), "noise": noise.numpy(), "log_prob": log_prob.numpy()}


def main(out):
    for index, (name, make) in enumerate(MODELS.items()):
        torch.manual_seed(SEED + index)
        model = make()
        randomize(model)
        torch.save(model.state_dict(), Path(out) / f"{name}.pt")
        model = model.double().eval()
        if isinstance(model, nf.MultiscaleFlow):
            arrays = image_outputs(model)
        else:
            arrays = vector_outputs(model)
        np.savez(Path(out) / f"{name}.npz", **arrays)
        log_prob = arrays["log_prob"]
        print(f"{name}: log_prob {log_prob}")


if __name__ == "__main__":
    main(*sys.argv[1:])
