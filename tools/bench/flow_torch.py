"""A flow in PyTorch, from the file of weights and the spec that flowgate writes: one flow for all comparisons, and for
training elsewhere."""

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
        narrow_after = blocks // 2 if self.spec["bottleneck"] else None
        h = self.conv("in_conv", F.relu(torch.cat([x, -x], 1)))
        total = self.conv("skip_in", h, 1) if skip else None
        for k in range(blocks):
            h = self.bottleneck(h) if k == narrow_after else h
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

    def convnet(self, x):
        for k in range(self.spec["layers"]):
            x = self.conv(f"layers.{k}", x)
        return self.conv("out_conv", x, 1)

    def glow_convnet(self, x):
        h = F.relu(self.conv("in_conv", x))
        return self.conv("out_conv", F.relu(self.conv("mid_conv", h, 1)))

    def bottleneck(self, h):
        tensors, at = self.tensors, f"{self.at}bottleneck."
        down, up = tensors[f"{at}down.weights"], tensors[f"{at}up.weights"]
        code = F.linear(h.flatten(1), down.flatten(1), tensors[f"{at}down.bias"])
        return (code @ up.flatten(1)).view_as(h) + tensors[f"{at}up.bias"]

    def autoencoder(self, x):
        stride = x.shape[-1] // 14
        strides = [1, 1, stride, stride]
        h, sides = x, []
        for k in range(4):
            sides.append(h.shape[2:])
            h = F.leaky_relu(self.layer(f"encoder.{k}", F.conv2d, h, stride=strides[k]), 0.01)
        h = self.bottleneck(h)
        for k in range(4):
            stride, wanted = strides[3 - k], sides[3 - k]
            missing = [to - ((side - 1) * stride + 4) for side, to in zip(h.shape[2:], wanted)]
            h = self.layer(f"decoder.{k}", F.conv_transpose2d, h, stride=stride, output_padding=missing)
            h = F.leaky_relu(h, 0.01) if k < 3 else h
        return h

    def mlp(self, x):
        h = F.relu(self.layer("in_layer", F.linear, x))
        for k in range(self.spec["layers"]):
            h = F.relu(self.layer(f"layers.{k}", F.linear, h))
        return self.layer("out_layer", F.linear, h)


CYCLE = ["top_left", "top_right", "bottom_right", "bottom_left"]


def kept_pixels(mask, kept, y, x, height, width):
    if mask == "checkerboard":
        return (y + x) % 2 == (kept == "odd")
    upper, left = y + 0 * x < height // 2, x + 0 * y < width // 2
    if mask == "cycle":
        rows, columns = kept.split("_")
        return (upper == (rows == "top")) & (left == (columns == "left"))
    return {"horizontal": upper, "vertical": left}[mask] == (kept == "first")


class Coupling:
    def __init__(self, tensors, at, spec):
        self.conditioner = Conditioner(tensors, f"{at}conditioner.", spec["conditioner"])
        self.scale_map, self.scale_fields = kind(spec["scale_map"])
        self.affine = spec["affine"]
        self.bound = tensors.get(f"{at}log_scale_bound")
        self.mask, fields = kind(spec["mask"])
        self.kept = fields["kept"]
        self.pixels = None

    def parameters(self, raw):
        """shift and log_scale of every changed coordinate."""
        raw_scale, shift = raw.chunk(2, 1)
        if self.scale_map == "tanh_bound":
            return shift, self.bound.view(-1, *[1] * (raw.dim() - 2)) * torch.tanh(raw_scale)
        if self.scale_map == "sigmoid":
            scale = torch.sigmoid(raw_scale + self.scale_fields["offset"]) + self.scale_fields["floor"]
            return shift, torch.log(scale)
        return shift, raw_scale

    def change(self, x, shift, log_scale):
        if self.affine == "scale_then_shift":
            return x * torch.exp(log_scale) + shift
        return (x + shift) * torch.exp(log_scale)

    def __call__(self, z):
        return self.channels(z) if self.mask == "channel" else self.spatial(z)

    def channels(self, z):
        first, second = z.split([z.shape[1] // 2, z.shape[1] - z.shape[1] // 2], 1)
        kept, x = (first, second) if self.kept == "first" else (second, first)
        shift, log_scale = self.parameters(self.conditioner(kept))
        x = self.change(x, shift, log_scale)
        both = (kept, x) if self.kept == "first" else (x, kept)
        return torch.cat(both, 1), log_scale.flatten(1).sum(1)

    def masks(self, z):
        height, width = z.shape[2:]
        y, x = torch.arange(height, device=z.device)[:, None], torch.arange(width, device=z.device)
        kept = kept_pixels(self.mask, self.kept, y, x, height, width)
        if self.mask != "cycle":
            return kept.to(z.dtype), (~kept).to(z.dtype)
        after = CYCLE[(CYCLE.index(self.kept) + 1) % 4]
        return kept.to(z.dtype), kept_pixels(self.mask, after, y, x, height, width).to(z.dtype)

    def spatial(self, z):
        if self.pixels is None:
            self.pixels = self.masks(z)
        kept, changed = self.pixels
        shift, log_scale = self.parameters(self.conditioner(z * kept))
        shift, log_scale = shift * changed, log_scale * changed
        return self.change(z, shift, log_scale), log_scale.flatten(1).sum(1)


class Actnorm:
    def __init__(self, tensors, at, _spec):
        self.at, self.shift, self.log_scale = at, tensors[f"{at}shift"], tensors[f"{at}log_scale"]

    def __call__(self, z):
        shift, log_scale = (v.view(-1, *[1] * (z.dim() - 2)) for v in (self.shift, self.log_scale))
        log_det = z.shape[2:].numel() * self.log_scale.sum()
        return (z + shift) * torch.exp(log_scale), log_det


class InvertibleLinear:
    """W = P L U, trained as flowgate trains it: one square, L below the diagonal, U above it, ln |U_ii| on it."""

    def __init__(self, tensors, at, _spec):
        self.at, weights = at, tensors.pop(f"{at}weights")
        # On the CPU, so that every device begins with the same pivots.
        self.permutation, lower, upper = (part.to(weights.device) for part in torch.linalg.lu(weights.cpu()))
        diagonal = torch.diagonal(upper)
        self.signs = torch.sign(diagonal)
        logarithms = torch.diag(torch.log(torch.abs(diagonal)))
        tensors[f"{at}factors"] = self.factors = torch.tril(lower, -1) + torch.triu(upper, 1) + logarithms

    def weights(self):
        logarithms = torch.diagonal(self.factors)
        lower = torch.tril(self.factors, -1) + torch.eye(len(logarithms), device=logarithms.device)
        upper = torch.triu(self.factors, 1) + torch.diag(self.signs * torch.exp(logarithms))
        return self.permutation @ lower @ upper, logarithms.sum()

    def __call__(self, z):
        weights, log_det = self.weights()
        if z.dim() == 2:
            return F.linear(z, weights), log_det
        return F.conv2d(z, weights[:, :, None, None]), z.shape[2:].numel() * log_det


class Squeeze:
    def __init__(self, _tensors, _at, _spec):
        pass

    def __call__(self, z):
        return F.pixel_unshuffle(z, 2), 0.0


STEPS = {"squeeze": Squeeze, "actnorm": Actnorm, "invertible_linear": InvertibleLinear, "coupling": Coupling}


def pixels(spec):
    return math.prod(kind(spec)[1]["shape"].values())


class Flow:
    def __init__(self, spec, tensors):
        self.spec = spec
        self.input, self.margin = kind(spec["input"])[0], kind(spec["input"])[1].get("logit_margin")
        self.fitted = {name: tensors.pop(name) for name in list(tensors) if name.startswith("input.")}
        self.levels = []
        for number, level in enumerate(spec["levels"]):
            steps = (kind(step) for step in level["steps"])
            at = f"levels.{number}.steps."
            made = (STEPS[name](tensors, f"{at}{index}.", fields) for index, (name, fields) in enumerate(steps))
            self.levels.append(list(made))
        first = next((step for step in self.levels[0] if not isinstance(step, Squeeze)), None)
        if self.input == "image" and isinstance(first, Actnorm) and first.shift.numel() == pixels(spec["input"]):
            # What standardizes every value of the input is what the data made it.
            self.fitted |= {name: tensors.pop(name) for name in (f"{first.at}shift", f"{first.at}log_scale")}
        self.tensors = tensors
        self.parameters = list(tensors.values())
        for parameter in self.parameters:
            parameter.requires_grad_()

    def model(self):
        """All tensors under the names of a model's file, which has matrices where factors are trained."""
        tensors = self.fitted | self.tensors
        for step in (step for level in self.levels for step in level if isinstance(step, InvertibleLinear)):
            tensors[f"{step.at}weights"] = step.weights()[0]
            del tensors[f"{step.at}factors"]
        return tensors

    def first_latent(self, x, noise):
        if self.input != "image":
            return self.standardized(x)
        span = 1 - 2 * self.margin
        p = span * ((x + noise) / 256) + self.margin
        ln_p, ln_q = torch.log(p), torch.log1p(-p)
        dims = x.shape[1:].numel()
        return ln_p - ln_q, dims * (math.log(span) - math.log(256)) - (ln_p + ln_q).flatten(1).sum(1)

    def standardized(self, x):
        mean, deviation = self.fitted["input.mean"], self.fitted["input.deviation"]
        z = (x - mean) / deviation
        if self.input == "vector":
            return z, -torch.log(deviation).sum()
        whitening = self.fitted["input.whitening"]
        rows = (whitening / deviation).double()
        return F.linear(z, whitening), 0.5 * torch.logdet(rows @ rows.T).to(z.dtype)

    def log_prob(self, x, noise):
        z, log_det = self.first_latent(x, noise)
        dims, squares = z.shape[1:].numel(), 0.0
        for number, level in enumerate(self.levels):
            for step in level:
                z, added = step(z)
                log_det = log_det + added
            if number + 1 < len(self.levels):
                z, done = z.split([z.shape[1] // 2, z.shape[1] - z.shape[1] // 2], 1)
                squares = squares + done.square().flatten(1).sum(1)
        squares = squares + z.square().flatten(1).sum(1)
        return log_det - 0.5 * squares - 0.5 * math.log(2 * math.pi) * dims


class LogProb(torch.nn.Module):
    """Bytes of images to log-likelihoods in nats, each byte read at its middle."""

    def __init__(self, path):
        super().__init__()
        self.flow = Flow(*read_safetensors(path))
        for parameter in self.flow.parameters:
            parameter.requires_grad_(False)

    def forward(self, images):
        return self.flow.log_prob(images.to(torch.float32), 0.5)
