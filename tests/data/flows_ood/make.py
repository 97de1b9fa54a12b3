"""Makes the small checkpoints in this folder with the paper's reference code, and records what that code computes.

    python3 make.py CHECKOUT OUT

CHECKOUT is the public repository of the reference code (flows_ood, commit 26a920a), OUT a folder. Needs PyTorch (made
with 1.13.1 on CPU) and NumPy. Weights, batch norm statistics and inputs are random; a checkpoint is written in f32
(or the type in its row), and the outputs are computed from the values in it in f64.

Each row of MODELS is a checkpoint: the class, its arguments, the input's shape, and how it is saved.
"""

import inspect
import math
import sys
import types
from pathlib import Path

import numpy as np
import torch

COUNT = 4
SEED = 20201

ZIP, LEGACY = True, False

# name: class, arguments, input shape, zip or legacy, options
MODELS = {
    "rgb_3_scales": ("RealNVP", dict(num_scales=3, in_channels=3, mid_channels=4, num_blocks=1), (3, 8, 8), LEGACY, {}),
    "one_scale_bare": (
        "RealNVP",
        dict(num_scales=1, in_channels=1, mid_channels=5, num_blocks=2, use_batch_norm=False, skip=False),
        (1, 6, 4),
        LEGACY,
        dict(bare=True, protocol=4),
    ),
    "resnet_ae": (
        "RealNVP",
        dict(num_scales=2, in_channels=1, mid_channels=3, num_blocks=3, st_type="resnet_ae", latent_dim=2),
        (1, 8, 8),
        LEGACY,
        {},
    ),
    "resnet_ae_one_block": (
        "RealNVP",
        dict(num_scales=1, in_channels=1, mid_channels=3, num_blocks=1, st_type="resnet_ae", latent_dim=2),
        (1, 6, 6),
        LEGACY,
        {},
    ),
    "autoencoder": (
        "RealNVP",
        dict(num_scales=2, in_channels=1, st_type="autoencoder", latent_dim=3),
        (1, 28, 28),
        ZIP,
        dict(narrow=True),
    ),
    "convnet_8_layers": (
        "RealNVP8Layers",
        dict(in_channels=1, mid_channels=4, num_blocks=1, st_type="convnet"),
        (1, 5, 7),
        LEGACY,
        {},
    ),
    "small_rgb_bf16": (
        "RealNVPSmall",
        dict(in_channels=3, mid_channels=4, num_blocks=2),
        (3, 6, 6),
        ZIP,
        dict(dtype=torch.bfloat16),
    ),
    "horizontal": ("RealNVPMaskHorizontal", dict(in_channels=1, mid_channels=3, num_blocks=1), (1, 7, 5), ZIP, {}),
    "horizontal_3": (
        "RealNVPMaskHorizontal3Layers",
        dict(in_channels=1, mid_channels=4, num_blocks=2, st_type="highway"),
        (1, 6, 6),
        LEGACY,
        {},
    ),
    "cycle_rgb": ("RealNVPCycleMask", dict(in_channels=3, mid_channels=3, num_blocks=1), (3, 7, 5), ZIP, {}),
    "glow_rgb": (
        "Glow",
        dict(num_scales=3, num_coupling_layers_per_scale=2, mid_channels=4, st_type="glow_convnet"),
        (3, 8, 8),
        ZIP,
        {},
    ),
    "glow_one_level": (
        "Glow",
        dict(num_scales=2, num_coupling_layers_per_scale=2, mid_channels=4, st_type="highway", multi_scale=False),
        (1, 8, 12),
        LEGACY,
        {},
    ),
    "tabular_f64_views": (
        "RealNVPTabular",
        dict(in_dim=7, num_coupling_layers=3, hidden_dim=6, num_layers=1, dropout=True),
        (7,),
        LEGACY,
        dict(dtype=torch.float64, views=True),
    ),
    "tabular_f16": (
        "RealNVPTabular",
        dict(in_dim=4, num_coupling_layers=4, hidden_dim=5, num_layers=0),
        (4,),
        ZIP,
        dict(dtype=torch.float16, views=True),
    ),
}


def load_reference(checkout):
    """The reference code, without the parts of SciPy that it imports and these flows do not use."""
    for name in ("scipy", "scipy.sparse"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.path.insert(0, checkout)
    import flow_ssl
    import flow_ssl.realnvp.coupling_layer as coupling

    return flow_ssl, coupling


def narrow_autoencoder(coupling):
    """The reference code's bottleneck with narrower convolutions; its own would make a checkpoint of 19 MB."""
    source = inspect.getsource(coupling.AE).replace("[32, 64, 64, 128]", "[2, 3, 3, 4]")
    scope = dict(vars(sys.modules[coupling.AE.__module__]))
    exec(source, scope)
    coupling.AE = scope["AE"]


def randomize(net):
    """Replaces every tensor by something without structure, so that no swap of two can go unnoticed."""
    for name, tensor in net.state_dict().items():
        last = name.rsplit(".", 1)[-1]
        if last == "num_batches_tracked":
            tensor.fill_(int(torch.randint(1, 99, ())))
        elif last == "running_var":
            tensor.copy_(0.5 + torch.rand_like(tensor))
        elif last == "weight" and tensor.dim() == 2 and tensor.shape[0] == tensor.shape[1] and "st_net" not in name:
            tensor.copy_(torch.linalg.qr(torch.randn_like(tensor))[0] + 0.1 * torch.randn_like(tensor))
        elif "norm" in name and last == "weight":
            tensor.copy_(1 + 0.3 * torch.randn_like(tensor))
        elif "rescale" in name:
            tensor.copy_(0.4 * torch.randn_like(tensor))
        elif last == "weight_g":
            tensor.copy_(0.5 * torch.randn_like(tensor))
        else:
            fan_in = max(1, tensor[0].numel() if tensor.dim() > 1 else 9)
            tensor.copy_(torch.randn_like(tensor) / math.sqrt(fan_in))
    for module in net.modules():
        if hasattr(module, "inited"):
            module.inited = True


def as_views(state):
    """The same values in one storage, matrices transposed in it."""
    total = sum(tensor.numel() for tensor in state.values())
    dtype = next(iter(state.values())).dtype
    storage, start = torch.zeros(total + 3, dtype=dtype), 3
    for key, tensor in state.items():
        part = storage[start : start + tensor.numel()]
        view = part.view(tensor.shape[::-1]).t() if tensor.dim() == 2 else part.view(tensor.shape)
        view.copy_(tensor)
        state[key] = view
        start += tensor.numel()
    return state


def save(path, net, new_format, dtype=torch.float32, views=False, bare=False, protocol=2, narrow=False):
    wrapped = net if bare else torch.nn.DataParallel(net, [])
    state = wrapped.state_dict()
    for key, tensor in state.items():
        if tensor.is_floating_point():
            state[key] = tensor.to(dtype)
            tensor.copy_(state[key].to(tensor.dtype))
    if views:
        state = as_views(state)
    state = state if bare else {"net": state, "epoch": 1}
    torch.save(state, path, _use_new_zipfile_serialization=new_format, pickle_protocol=protocol)


def outputs(net, shape):
    """Inputs, and what the reference code gives for them, in f64."""
    dims = math.prod(shape)
    arrays = {}
    if len(shape) == 1:
        x = torch.randn(COUNT, *shape)
        arrays["inputs"] = x.numpy()
    else:
        images = torch.randint(0, 256, (COUNT, *shape), dtype=torch.uint8)
        noise = torch.rand(COUNT, *shape)
        arrays["images"], arrays["noise"] = images.numpy(), noise.numpy()
        x = images.double() / 255
        torch.rand_like = lambda _: noise.double()
    net = net.double().eval()
    with torch.no_grad():
        z = net(x.double()).reshape(COUNT, dims)
        log_det = net.logdet()
    log_prob = -0.5 * (z**2).sum(1) - 0.5 * dims * math.log(2 * math.pi) + log_det
    if len(shape) > 1:
        log_prob = log_prob - dims * math.log(256)
    arrays |= {"z": z.numpy(), "log_det": log_det.numpy(), "log_prob": log_prob.numpy()}
    return arrays


def main(checkout, out):
    flow_ssl, coupling = load_reference(checkout)
    import flow_ssl.realnvp as real_nvp

    autoencoder = coupling.AE
    rand_like = torch.rand_like
    for index, (name, (kind, arguments, shape, new_format, options)) in enumerate(MODELS.items()):
        torch.manual_seed(SEED + index)
        coupling.AE = autoencoder
        torch.rand_like = rand_like
        if options.get("narrow"):
            narrow_autoencoder(coupling)
        if kind == "Glow":
            arguments = dict(arguments, image_shape=shape)
        elif kind != "RealNVPTabular":
            arguments = dict(arguments, img_shape=shape)
        net = getattr(flow_ssl if kind == "Glow" else real_nvp, kind)(**arguments)
        randomize(net)
        save(Path(out) / f"{name}.pt", net, new_format, **options)
        arrays = outputs(net, shape)
        np.savez(Path(out) / f"{name}.npz", **arrays)
        print(f"{name}: log_prob {arrays['log_prob']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
