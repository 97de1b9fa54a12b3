"""A flow in PyTorch, from the file of weights and the spec that flowgate writes: one flow for all comparisons."""

import json
import math
import struct

import numpy as np
import torch
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    spec = json.loads(header.pop("__metadata__")["flowgate.spec"])
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        values = np.frombuffer(body[first:last], dtype="<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return spec, tensors


def write_safetensors(path, tensors, metadata=None):
    header, body = {"__metadata__": metadata} if metadata else {}, []
    at = 0
    for name, tensor in tensors.items():
        values = tensor.detach().cpu().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(values)]}
        at += len(values)
        body.append(values)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + b"".join(body))


def kind(choice):
    """Name and fields of a choice in the spec: `"exp"` or `{"sigmoid": {...}}`."""
    return (choice, {}) if isinstance(choice, str) else next(iter(choice.items()))


class Conditioner:
    def __init__(self, tensors, at, spec):
        self.name, self.spec = kind(spec)
        self.at, self.tensors = at, tensors

    def layer(self, name, operation, h, **options):
        weights, bias = (self.tensors[f"{self.at}{name}.{part}"] for part in ("weights", "bias"))
        return operation(h, weights, bias, **options)

    def conv(self, name, h, side=3):
        return self.layer(name, F.conv2d, h, padding=side // 2)

    def __call__(self, x):
        return getattr(self, self.name)(x)

    def resnet(self, x):
        blocks, skip = self.spec["blocks"], self.spec["skip"]
        h = self.conv("in_conv", F.relu(torch.cat([x, -x], 1)))
        total = self.conv("skip_in", h, 1) if skip else None
        for k in range(blocks):
            middle = F.relu(self.conv(f"blocks.{k}.conv_a", F.relu(h)))
            h = h + self.conv(f"blocks.{k}.conv_b", middle)
            if skip:
                total = total + self.conv(f"skips.{k}", h, 1)
        return self.conv("out_conv", F.relu(total if skip else h), 1)

    def highway(self, x):
        h = self.conv("in_conv", x)
        for k in range(self.spec["layers"]):
            g = torch.sigmoid(self.conv(f"layers.{k}.gate", h))
            h = self.conv(f"layers.{k}.hidden", h) * g + h * (1 - g)
        return self.conv("out_conv", h, 1)

    def autoencoder(self, x):
        stride = x.shape[-1] // 14
        strides = [1, 1, stride, stride]
        h = x
        for k in range(4):
            h = F.leaky_relu(self.layer(f"encoder.{k}", F.conv2d, h, stride=strides[k]), 0.01)
        tensors, at = self.tensors, f"{self.at}bottleneck."
        down, up = tensors[f"{at}down.weights"], tensors[f"{at}up.weights"]
        code = F.linear(h.flatten(1), down.flatten(1), tensors[f"{at}down.bias"])
        h = (code @ up.flatten(1)).view_as(h) + tensors[f"{at}up.bias"]
        for k in range(4):
            h = self.layer(f"decoder.{k}", F.conv_transpose2d, h, stride=strides[3 - k])
            h = F.leaky_relu(h, 0.01) if k < 3 else h
        return h

    def mlp(self, x):
        h = F.relu(self.layer("in_layer", F.linear, x))
        for k in range(self.spec["layers"]):
            h = F.relu(self.layer(f"layers.{k}", F.linear, h))
        return self.layer("out_layer", F.linear, h)


class Coupling:
    def __init__(self, tensors, at, spec):
        assert (spec["scale_map"], spec["affine"]) == ("tanh_bound", "shift_then_scale")
        self.conditioner = Conditioner(tensors, f"{at}conditioner.", spec["conditioner"])
        self.bound = tensors[f"{at}log_scale_bound"]
        self.mask, fields = kind(spec["mask"])
        self.kept = fields["kept"]
        self.pixels = None

    def affine(self, x, raw):
        raw_scale, shift = raw.chunk(2, 1)
        bound = self.bound.view(-1, *[1] * (x.dim() - 2))
        return shift, bound * torch.tanh(raw_scale)

    def __call__(self, z):
        return self.channels(z) if self.mask == "channel" else self.checkerboard(z)

    def channels(self, z):
        first, second = z.split([z.shape[1] // 2, z.shape[1] - z.shape[1] // 2], 1)
        kept, x = (first, second) if self.kept == "first" else (second, first)
        shift, log_scale = self.affine(x, self.conditioner(kept))
        x = (x + shift) * torch.exp(log_scale)
        both = (kept, x) if self.kept == "first" else (x, kept)
        return torch.cat(both, 1), log_scale.flatten(1).sum(1)

    def checkerboard(self, z):
        if self.pixels is None:
            height, width = z.shape[2:]
            parity = (torch.arange(height)[:, None] + torch.arange(width)) % 2
            self.pixels = (parity == (self.kept == "odd")).to(z.dtype)
        kept, changed = self.pixels, 1 - self.pixels
        shift, log_scale = self.affine(z, self.conditioner(z * kept))
        shift, log_scale = shift * changed, log_scale * changed
        return (z + shift) * torch.exp(log_scale), log_scale.flatten(1).sum(1)


class Actnorm:
    def __init__(self, tensors, at, _spec):
        self.shift, self.log_scale = tensors[f"{at}shift"], tensors[f"{at}log_scale"]

    def __call__(self, z):
        shift, log_scale = (v.view(-1, 1, 1) for v in (self.shift, self.log_scale))
        log_det = z.shape[2] * z.shape[3] * self.log_scale.sum()
        return (z + shift) * torch.exp(log_scale), log_det


class InvertibleLinear:
    """W = P L U, trained as flowgate trains it: one square, L below the diagonal, U above it, ln |U_ii| on it."""

    def __init__(self, tensors, at, _spec):
        self.permutation, lower, upper = torch.linalg.lu(tensors.pop(f"{at}weights"))
        diagonal = torch.diagonal(upper)
        self.signs = torch.sign(diagonal)
        logarithms = torch.diag(torch.log(torch.abs(diagonal)))
        tensors[f"{at}factors"] = self.factors = torch.tril(lower, -1) + torch.triu(upper, 1) + logarithms

    def weights(self):
        logarithms = torch.diagonal(self.factors)
        lower = torch.tril(self.factors, -1) + torch.eye(len(logarithms))
        upper = torch.triu(self.factors, 1) + torch.diag(self.signs * torch.exp(logarithms))
        return self.permutation @ lower @ upper, logarithms.sum()

    def __call__(self, z):
        weights, log_det = self.weights()
        return F.conv2d(z, weights[:, :, None, None]), z.shape[2] * z.shape[3] * log_det


class Squeeze:
    def __init__(self, _tensors, _at, _spec):
        pass

    def __call__(self, z):
        return F.pixel_unshuffle(z, 2), 0.0


STEPS = {"squeeze": Squeeze, "actnorm": Actnorm, "invertible_linear": InvertibleLinear, "coupling": Coupling}


class Flow:
    def __init__(self, spec, tensors):
        self.input, self.margin = kind(spec["input"])[0], kind(spec["input"])[1].get("logit_margin")
        self.standardization = [tensors.pop(f"input.{part}", None) for part in ("mean", "deviation")]
        self.levels = []
        for number, level in enumerate(spec["levels"]):
            steps = (kind(step) for step in level["steps"])
            at = f"levels.{number}.steps."
            made = (STEPS[name](tensors, f"{at}{index}.", fields) for index, (name, fields) in enumerate(steps))
            self.levels.append(list(made))
        self.tensors = tensors
        self.parameters = list(tensors.values())
        for parameter in self.parameters:
            parameter.requires_grad_()

    def first_latent(self, x, noise):
        if self.input == "vector":
            mean, deviation = self.standardization
            return (x - mean) / deviation, -torch.log(deviation).sum()
        span = 1 - 2 * self.margin
        p = span * ((x + noise) / 256) + self.margin
        ln_p, ln_q = torch.log(p), torch.log1p(-p)
        dims = x[0].numel()
        return ln_p - ln_q, dims * (math.log(span) - math.log(256)) - (ln_p + ln_q).flatten(1).sum(1)

    def log_prob(self, x, noise):
        z, log_det = self.first_latent(x, noise)
        squares = 0.0
        for number, level in enumerate(self.levels):
            for step in level:
                z, added = step(z)
                log_det = log_det + added
            if number + 1 < len(self.levels):
                z, done = z.split([z.shape[1] // 2, z.shape[1] - z.shape[1] // 2], 1)
                squares = squares + done.square().flatten(1).sum(1)
        squares = squares + z.square().flatten(1).sum(1)
        return log_det - 0.5 * squares - 0.5 * math.log(2 * math.pi) * x[0].numel()


class LogProb(torch.nn.Module):
    """Bytes of images to log-likelihoods in nats, each byte read at its middle."""

    def __init__(self, path):
        super().__init__()
        self.flow = Flow(*read_safetensors(path))
        for parameter in self.flow.parameters:
            parameter.requires_grad_(False)

    def forward(self, images):
        return self.flow.log_prob(images.to(torch.float32), 0.5)
