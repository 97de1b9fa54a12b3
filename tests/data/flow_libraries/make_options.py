"""Makes small checkpoints over the options of nflows, normflows, FrEIA and zuko, and records what they compute.

    python3 make_options.py OUT

Made with PyTorch 2.15, nflows 0.14, normflows 1.7.3, FrEIA 0.2 and zuko 1.6. As make.py: a checkpoint is the f32 state
dict with random weights, inputs are random, and `log_prob` is computed by the library from the values in the file, in
f64. What flowgate refuses has no .npz.
"""

import functools
import math
import sys
import types
from pathlib import Path

for name in ("matplotlib", "matplotlib.pyplot", "UMNN"):
    module = sys.modules.setdefault(name, types.ModuleType(name))
    module.pyplot = module.NeuralIntegral = module.ParallelNeuralIntegral = module
import FrEIA.framework as Ff
import FrEIA.modules as Fm
import normflows as nf
import numpy as np
import torch
import zuko
from nflows import transforms
from nflows.distributions.normal import DiagonalNormal, StandardNormal
from nflows.flows.base import Flow
from nflows.nn import nets
from torch import nn
from torch.nn import functional as F

COUNT = 5
SEED = 97
GAUSS = 0.5 * math.log(2 * math.pi)


class Mlp(nets.MLP):
    """nflows' own, taking the context that its couplings pass."""

    def forward(self, inputs, context=None):
        return super().forward(inputs)


class Scaled(transforms.AffineCouplingTransform):
    """The scale_activation that nflows has on its main branch."""

    def __init__(self, mask, net, scale_activation):
        self.scale_activation = scale_activation
        super().__init__(mask, net)

    def _scale_and_shift(self, params):
        raw = params[:, self.num_transform_features :, ...]
        return self.scale_activation(raw), params[:, : self.num_transform_features, ...]


def general(x):
    return (F.softplus(x) + 1e-3).clamp(0, 3)


ODD, EVEN = torch.tensor([1, 0, 1, 0]), torch.tensor([0, 1, 0, 1])


def residual(activation=F.relu, norm=False):
    return lambda i, o: nets.ResidualNet(
        i, o, hidden_features=3, num_blocks=1, activation=activation, use_batch_norm=norm
    )


def mlp(activation=F.relu):
    return lambda i, o: Mlp([i], [o], [4, 3], activation=activation)


def nflows(layers, base=None):
    return Flow(transforms.CompositeTransform(layers), base or StandardNormal([4]))


def nflows_leaky():
    leaky = functools.partial(F.leaky_relu, negative_slope=0.2)
    return nflows(
        [
            transforms.AffineCouplingTransform(ODD, residual(leaky, True)),
            transforms.AffineCouplingTransform(EVEN, mlp(leaky)),
        ]
    )


def nflows_linear():
    return nflows(
        [
            transforms.LULinear(4, identity_init=False, eps=0.1),
            transforms.AffineCouplingTransform(ODD, mlp()),
            transforms.BatchNorm(4, eps=0.01),
            transforms.NaiveLinear(4, orthogonal_initialization=False),
            transforms.PointwiseAffineTransform(torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor(1.5)),
            transforms.AffineCouplingTransform(EVEN, mlp()),
        ],
        DiagonalNormal([4]),
    )


def normflows(flows, dims=4):
    return nf.NormalizingFlow(nf.distributions.base.DiagGaussian(dims), flows)


def blocks(mode="channel", scale=True, scale_map="exp", leaky=0.0, dims=5, **net):
    upper = (dims + 1) // 2
    kept = {"channel": upper, "channel_inv": dims // 2}.get(mode, dims // 2)
    outputs = (2 if scale else 1) * (dims - kept)
    flows = []
    for _ in range(2):
        param_map = nf.nets.MLP([kept, 4, 3, outputs], leaky=leaky, **net)
        flows += [
            nf.flows.AffineCouplingBlock(param_map, scale=scale, scale_map=scale_map, split_mode=mode),
            nf.flows.Permute(dims, mode="swap"),
        ]
    return normflows(flows, dims)


def masked(s=True, t=True, **s_options):
    mask = torch.tensor([1.0, 0.0, 1.0, 0.0])
    flows = []
    for i in range(2):
        s_net = nf.nets.MLP([4, 3, 4], **s_options) if s else None
        t_net = nf.nets.MLP([4, 5, 4]) if t else None
        flows.append(nf.flows.MaskedAffineFlow(mask if i % 2 else 1 - mask, t_net, s_net))
    return normflows(flows)


def normflows_linear():
    net = lambda: nf.nets.MLP([2, 3, 4])
    return normflows(
        [
            nf.flows.InvertibleAffine(4, use_lu=True),
            nf.flows.AffineCouplingBlock(net()),
            nf.flows.InvertibleAffine(4, use_lu=False),
            nf.flows.AffineConstFlow(4),
            nf.flows.AffineCouplingBlock(net()),
            nf.flows.LULinearPermute(4, identity_init=False),
            nf.flows.AffineCouplingBlock(net()),
        ]
    )


def glow(base=nf.distributions.GlowBase, logit=0.05, **options):
    shape, levels = (2, 4, 4), 2
    (channels, height, width), bases, merges, flows = shape, [], [], []
    for i in range(levels):
        block = lambda: nf.flows.GlowBlock(channels * 2 ** (levels + 1 - i), 3, **options)
        flows.append([block(), nf.flows.Squeeze()])
        merges += [nf.flows.Merge()] if i > 0 else []
        left = channels * 2 ** (levels - i + (i == 0))
        bases.append(base((left, height >> (levels - i), width >> (levels - i))))
    model = nf.MultiscaleFlow(bases, flows, merges, transform=nf.transforms.Logit(logit), class_cond=False)
    model.shape = shape
    return model


def subnet(activation=nn.ReLU):
    return lambda i, o: nn.Sequential(nn.Linear(i, 4), activation(), nn.Linear(4, o))


def freia(*modules, dims=5):
    inn = Ff.SequenceINN(dims)
    for module, options in modules:
        if "subnet" in options:
            options = {**options, "subnet_constructor": options["subnet"]}
            del options["subnet"]
        inn.append(module, **options)
    inn.dims = dims
    return inn


def all_in_one(activation=nn.ReLU, **options):
    block = (Fm.AllInOneBlock, {"subnet": subnet(activation), **options})
    return freia(block, block)


def two_sided(module, **options):
    return freia((module, {"subnet": subnet(), **options}), (Fm.PermuteRandom, {"seed": 3}), (module, {"subnet": subnet(), **options}))


def freia_layers():
    matrix = torch.linalg.qr(torch.randn(5, 5))[0] + 0.2 * torch.eye(5)
    one_sided = (Fm.AffineCouplingOneSided, {"subnet": subnet(), "clamp_activation": "TANH"})
    return freia(
        one_sided,
        (Fm.ActNorm, {}),
        (Fm.FixedLinearTransform, {"M": matrix, "b": torch.randn(5)}),
        one_sided,
        (Fm.OrthogonalTransform, {}),
        (Fm.LearnedElementwiseScaling, {}),
        one_sided,
    )


def zuko_nice(dims=5, **options):
    flow = zuko.flows.NICE(dims, transforms=3, hidden_features=(4, 3), **options)
    flow.dims = dims
    return flow


def zuko_layers():
    coupling = lambda mask: zuko.flows.GeneralCouplingTransform(4, mask=mask, hidden_features=(3,))
    fixed = zuko.lazy.UnconditionalTransform
    flow = zuko.lazy.Flow(
        [
            coupling(torch.tensor([1, 1, 0, 0], dtype=bool)),
            fixed(zuko.transforms.PermutationTransform, torch.tensor([2, 0, 3, 1]), buffer=True),
            coupling(torch.tensor([1, 0, 0, 1], dtype=bool)),
            fixed(zuko.transforms.LULinearTransform, torch.randn(4, 4) + 2 * torch.eye(4)),
            coupling(torch.tensor([1, 0, 1, 0], dtype=bool)),
        ],
        zuko.lazy.UnconditionalDistribution(zuko.distributions.DiagNormal, torch.randn(4), 0.5 + torch.rand(4), buffer=True),
    )
    flow.dims = 4
    return flow


def additive():
    return {"univariate": zuko.transforms.AdditiveTransform, "shapes": [()]}


MODELS = {
    "nflows_leaky": nflows_leaky,
    "nflows_general": lambda: nflows([Scaled(ODD, residual(), general), Scaled(EVEN, residual(), general)]),
    "nflows_exp": lambda: nflows([Scaled(ODD, mlp(), torch.exp), Scaled(EVEN, mlp(), torch.exp)]),
    "nflows_identity": lambda: nflows(
        [
            transforms.AffineCouplingTransform(ODD, mlp()),
            transforms.IdentityTransform(),
            transforms.AdditiveCouplingTransform(EVEN, mlp()),
            transforms.IdentityTransform(),
        ]
    ),
    "nflows_linear": nflows_linear,
    "normflows_inverse": lambda: blocks(scale_map="sigmoid_inv"),
    "normflows_channel_inv": lambda: blocks("channel_inv", dims=5),
    "normflows_checkerboard": lambda: blocks("checkerboard", dims=4),
    "normflows_checkerboard_inv": lambda: blocks("checkerboard_inv", dims=4),
    "normflows_leaky": lambda: blocks(leaky=0.1, dropout=0.5),
    "normflows_additive": lambda: blocks(scale=False),
    "normflows_scales": lambda: masked(t=False),
    "normflows_shifts": lambda: masked(s=False),
    "normflows_tanh": lambda: masked(output_fn="tanh", output_scale=0.7, score_scale=1.3),
    "normflows_linear": normflows_linear,
    "normflows_glow_options": lambda: glow(split_mode="channel_inv", leaky=0.1, net_actnorm=True, logit=0.1),
    "normflows_glow_inverse": lambda: glow(scale_map="sigmoid_inv"),
    "normflows_glow_additive": lambda: glow(scale=False),
    "normflows_glow_gauss": lambda: glow(functools.partial(nf.distributions.DiagGaussian, trainable=False)),
    "normflows_glow_factor": lambda: glow(functools.partial(nf.distributions.GlowBase, logscale_factor=1.0)),
    "freia_all_in_one": lambda: all_in_one(),
    "freia_soft": lambda: all_in_one(permute_soft=True, affine_clamping=1.5, global_affine_type="SIGMOID"),
    "freia_householder": lambda: all_in_one(
        nn.LeakyReLU, learned_householder_permutation=2, reverse_permutation=True, global_affine_type="EXP"
    ),
    "freia_glow": lambda: two_sided(Fm.GLOWCouplingBlock),
    "freia_glow_tanh": lambda: two_sided(Fm.GLOWCouplingBlock, clamp=1.5, clamp_activation="TANH"),
    "freia_glow_sigmoid": lambda: two_sided(Fm.GLOWCouplingBlock, clamp_activation="SIGMOID"),
    "freia_real_nvp": lambda: two_sided(Fm.RNVPCouplingBlock),
    "freia_nice": lambda: two_sided(Fm.NICECouplingBlock),
    "freia_layers": freia_layers,
    "zuko_nice": zuko_nice,
    "zuko_leaky": lambda: zuko_nice(activation=nn.LeakyReLU, randmask=True, dims=4),
    "zuko_slope": lambda: zuko_nice(
        univariate=functools.partial(zuko.transforms.MonotonicAffineTransform, slope=0.05), dims=4
    ),
    "zuko_additive": lambda: zuko_nice(dims=4, **additive()),
    "zuko_unbiased": lambda: zuko_nice(dims=4, bias=False),
    "zuko_layers": zuko_layers,
}

REFUSED = {
    "nflows_autoregressive": lambda: nflows(
        [transforms.MaskedAffineAutoregressiveTransform(4, 3, num_blocks=1)]
    ),
    "nflows_inverse": lambda: nflows([transforms.InverseTransform(transforms.AffineCouplingTransform(ODD, mlp()))]),
    "normflows_planar": lambda: normflows([nf.flows.Planar((4,))]),
    "normflows_spline": lambda: normflows([nf.flows.CoupledRationalQuadraticSpline(4, 1, 3, num_bins=2)]),
    "normflows_scaled_output": lambda: blocks(output_fn="tanh", output_scale=0.7),
    "freia_images": lambda: images(),
    "zuko_autoregressive": lambda: zuko.flows.MAF(4, transforms=1, hidden_features=(3,)),
    "zuko_normalized": lambda: zuko_nice(normalize=True),
}


def images():
    conv = lambda i, o: nn.Sequential(nn.Conv2d(i, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, o, 3, padding=1))
    inn = Ff.SequenceINN(4, 2, 2)
    inn.append(Fm.AllInOneBlock, subnet_constructor=conv)
    return inn


FIXED = ("b", "_log_z", "P", "eye", "sign_S", "W", "w_perm", "w_perm_inv", "w_0", "M", "M_inv", "logDetM", "mask", "_0", "_1")


def randomize(model):
    for name, tensor in model.state_dict().items():
        last = name.rsplit(".", 1)[-1]
        if not tensor.is_floating_point() or last in FIXED or "q0" in name or name.startswith("base"):
            pass
        elif last in ("weights", "_weight", "_shift", "_scale", "scale") and "actnorm" not in name.lower() and "hyper" not in name:
            if last == "scale" and "module_list" in name:
                tensor.copy_(0.3 * torch.randn_like(tensor))
        elif last == "data_dep_init_done":
            tensor.fill_(1.0)
        elif last == "running_var":
            tensor.copy_(0.5 + torch.rand_like(tensor))
        elif "norm" in name and last == "weight":
            tensor.copy_(1 + 0.3 * torch.randn_like(tensor))
        elif last == "vk_householder":
            tensor.copy_(torch.randn_like(tensor))
        else:
            fan_in = tensor[0].numel() if tensor.dim() == 4 and "net" in name else 1
            tensor.copy_(0.5 * torch.randn_like(tensor) / fan_in**0.5)
    for name, tensor in model.named_parameters():
        if name.startswith(("q0.", "_distribution.")):
            tensor.data.copy_(0.3 * torch.randn_like(tensor))
    for module in model.modules():
        if isinstance(module, transforms.ActNorm):
            module.initialized.data.fill_(True)
        if isinstance(module, Fm.ActNorm):
            module.init_on_next_batch = False


def log_prob(model, x):
    if isinstance(model, Ff.SequenceINN):
        z, log_det = model(x)
        return log_det - (0.5 * z**2 + GAUSS).sum(1)
    if isinstance(model, zuko.lazy.Flow):
        return model().log_prob(x)
    return model.log_prob(x)


def dims(model):
    if isinstance(model, Flow):
        return model._distribution._shape[0]
    return model.q0.loc.shape[1] if hasattr(model, "q0") else model.dims


def arrays(model):
    with torch.no_grad():
        if isinstance(model, nf.MultiscaleFlow):
            images = torch.randint(0, 256, (COUNT, *model.shape), dtype=torch.uint8)
            noise = torch.rand(COUNT, *model.shape)
            value = model.log_prob((images.double() + noise.double()) / 256, None)
            return {"images": images.numpy(), "noise": noise.numpy(), "log_prob": value.numpy()}
        x = torch.randn(COUNT, dims(model))
        return {"inputs": x.numpy(), "log_prob": log_prob(model, x.double()).numpy()}


def main(out):
    for index, (name, make) in enumerate({**MODELS, **REFUSED}.items()):
        torch.manual_seed(SEED + index)
        np.random.seed(SEED + index)
        model = make()
        randomize(model)
        state = {key: tensor.detach().clone() for key, tensor in model.state_dict().items()}
        torch.save(state, Path(out) / f"{name}.pt", _use_new_zipfile_serialization=False)
        if name in MODELS:
            model = model.double().eval()
            values = arrays(model)
            np.savez(Path(out) / f"{name}.npz", **values)
            print(f"{name}: {values['log_prob']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
