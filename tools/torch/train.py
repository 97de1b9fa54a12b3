"""Trains the flow in this directory with PyTorch: on GPUs or the CPU, as one process or as many that share each batch.

    python train.py
    torchrun --nproc-per-node auto train.py
    torchrun --nnodes 2 --nproc-per-node auto --rdzv-backend c10d --rdzv-endpoint HOST:29400 train.py

`flowgate train --torch` wrote it, with config.json, model.safetensors (first weights), flow_torch.py and data.npy. It
writes trained.safetensors, the averaged weights of the best epoch, and after every epoch checkpoint.pt. Noise,
optimizer, averages and validation are those of `flowgate train`. Order and noise are functions of seed, epoch and
batch; processes share a batch and add up their gradients, so that their number changes nothing but roundings. `batch`
in config.json counts the items of all processes. Many machines see the directory under one path, or each has its copy.
"""

import argparse
import gzip
import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from flow_torch import Flow, kind, read_safetensors, write_safetensors

HERE = Path(__file__).resolve().parent
FIRST, TRAINED, CHECKPOINT = (HERE / name for name in ("model.safetensors", "trained.safetensors", "checkpoint.pt"))
SHUFFLE, DEQUANTIZE, VALIDATE = range(3)


class Team:
    """The processes that share every batch; one alone is a team as well."""

    def __init__(self):
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(self.device)
        if self.size > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    def share(self, count):
        return np.array_split(np.arange(count), self.size)[self.rank]

    def sum(self, tensor):
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def say(self, text):
        if self.rank == 0:
            print(text, flush=True)


class Items:
    """Images or vectors; noise is drawn for whole batches, whoever computes them."""

    def __init__(self, path, spec, team, dtype):
        self.values, self.team, self.dtype = read_data(path), team, dtype
        name, read = kind(spec["input"])
        image = [read["shape"][side] for side in ("channels", "height", "width")] if name == "image" else None
        wanted, found = image or [read.get("measured", read.get("dims"))], list(self.values.shape[1:])
        if found != wanted:
            sys.exit(f"{path}: the flow reads items of {wanted}, these are of {found}")
        self.dims = math.prod(self.values.shape[1:])

    def share(self, items, key):
        """This process's part of a batch, and its noise."""
        mine = self.team.share(len(items))
        x = torch.from_numpy(self.values[items[mine]]).to(self.team.device, self.dtype)
        if self.values.dtype != np.uint8:
            return x, None
        noise = np.random.default_rng(key).random((len(items), *self.values.shape[1:]), np.float32)
        return x, torch.from_numpy(noise[mine]).to(self.team.device, self.dtype)


def read_data(path):
    with open(path, "rb") as file:
        start = file.read(6)
    if start == b"\x93NUMPY":
        return np.load(path, mmap_mode="r")
    with (gzip.open if start[:2] == b"\x1f\x8b" else open)(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\0\0\x08\x03":
        sys.exit(f"{path}: neither .npy nor IDX images")
    count, height, width = np.frombuffer(data, ">u4", 3, 4).tolist()
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, 1, height, width)


def learning_rate(settings, step, total):
    highest, warmup, least = settings["learning_rate"], settings["warmup_steps"], settings["final_lr_ratio"]
    if step < warmup:
        return highest * (step + 1) / warmup
    done = min((step - warmup) / max(total - warmup, 1), 1.0)
    return highest * (least + (1 - least) * 0.5 * (1 + math.cos(math.pi * done)))


def adam(settings, flow):
    decays = lambda name: name.endswith(".weights")
    groups = [
        {"params": [p for name, p in flow.tensors.items() if decays(name)], "weight_decay": settings["weight_decay"]},
        {"params": [p for name, p in flow.tensors.items() if not decays(name)], "weight_decay": 0.0},
    ]
    betas = settings["beta1"], settings["beta2"]
    return torch.optim.AdamW([g for g in groups if g["params"]], settings["learning_rate"], betas, settings["epsilon"])


class Run:
    def __init__(self, config, items, team):
        self.config, self.items, self.team = config, items, team
        self.flow, self.average = self.first_flow(), self.first_flow()
        self.optimizer = adam(config["optimizer"], self.flow)
        count = len(items.values)
        # Half up, as in Rust; Python's round prefers even numbers.
        held = math.floor(config["validation_fraction"] * count + 0.5)
        self.train, self.held = np.arange(count - held), np.arange(count - held, count)
        self.epoch, self.steps, self.best = 0, 0, math.inf

    def first_flow(self):
        spec, tensors = read_safetensors(FIRST)
        return Flow(spec, {name: tensor.to(self.team.device, self.items.dtype) for name, tensor in tensors.items()})

    def batches(self, items):
        size = self.config["batch"]
        return [items[at : at + size] for at in range(0, len(items), size)]

    def reduce_gradients(self, clip_norm):
        """Gradients of the whole batch in every process, no longer than the longest allowed."""
        parameters = self.flow.parameters
        flat = self.team.sum(torch.cat([p.grad.flatten() for p in parameters]))
        flat *= (clip_norm / flat.norm()).clamp(max=1.0)
        for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters])):
            parameter.grad = part.view_as(parameter)

    def step(self, batch, number):
        settings, seed = self.config["optimizer"], self.config["seed"]
        self.optimizer.zero_grad(set_to_none=True)
        log_prob = self.flow.log_prob(*self.items.share(batch, [seed, DEQUANTIZE, self.epoch, number])).sum()
        (-log_prob / (len(batch) * self.items.dims)).backward()
        self.reduce_gradients(settings["clip_norm"])
        total = self.config["epochs"] * len(self.batches(self.train))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings, self.steps, total)
        self.optimizer.step()
        self.steps += 1
        young = (1 + self.steps) / (10 + self.steps)
        with torch.no_grad():
            follow = 1 - min(settings["ema_decay"], young)
            torch._foreach_lerp_(self.average.parameters, self.flow.parameters, follow)
        return log_prob.detach().double()

    def bits_per_dim(self, log_probs, count):
        total = self.team.sum(torch.stack(log_probs).sum()).item()
        return -total / (count * self.items.dims * math.log(2))

    @torch.no_grad()
    def validate(self):
        held, seed = self.held if len(self.held) else self.train, self.config["seed"]
        shares = (self.items.share(batch, [seed, VALIDATE, n]) for n, batch in enumerate(self.batches(held)))
        return self.bits_per_dim([self.average.log_prob(*share).double().sum() for share in shares], len(held))

    def run(self):
        self.team.say("epoch  train bits/dim  validation bits/dim  items/s")
        while self.epoch < self.config["epochs"]:
            start = time.perf_counter()
            order = np.random.default_rng([self.config["seed"], SHUFFLE, self.epoch]).permutation(self.train)
            log_probs = [self.step(batch, number) for number, batch in enumerate(self.batches(order))]
            train = self.bits_per_dim(log_probs, len(order))
            speed = len(order) / (time.perf_counter() - start)
            validation = self.validate()
            self.epoch += 1
            if not math.isfinite(train + validation):
                sys.exit(f"{HERE}: the loss became NaN or infinite in epoch {self.epoch}; checkpoint.pt is from before it")
            better = validation < self.best
            self.best = min(validation, self.best)
            self.team.say(f"{self.epoch:5}  {train:14.6f}  {validation:19.6f}  {speed:7.0f}{'  best' if better else ''}")
            if self.team.rank == 0:
                self.save(better)

    def save(self, better):
        if better:
            metadata = {"flowgate.spec": json.dumps(self.average.spec)}
            replace(TRAINED, lambda path: write_safetensors(path, self.average.model(), metadata))
        state = {"config": self.config, "epoch": self.epoch, "steps": self.steps, "best": self.best}
        weights = {"weights": self.flow.parameters, "average": self.average.parameters}
        weights = {name: [p.detach() for p in parameters] for name, parameters in weights.items()}
        replace(CHECKPOINT, lambda path: torch.save(state | weights | {"adam": self.optimizer.state_dict()}, path))

    @torch.no_grad()
    def resume(self):
        if not CHECKPOINT.exists():
            sys.exit(f"{CHECKPOINT}: there is no checkpoint to resume from")
        state = torch.load(CHECKPOINT, map_location=self.team.device, weights_only=True)
        if state["config"] != self.config:
            sys.exit(f"{HERE / 'config.json'}: the run was started with another config")
        self.epoch, self.steps, self.best = (state[name] for name in ("epoch", "steps", "best"))
        torch._foreach_copy_(self.flow.parameters, state["weights"])
        torch._foreach_copy_(self.average.parameters, state["average"])
        self.optimizer.load_state_dict(state["adam"])


def replace(path, write):
    """Whoever reads the file meets the old one or the new one, never half of one."""
    new = path.with_name(path.name + ".new")
    write(new)
    os.replace(new, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "data.npy", help="other data: .npy, or IDX images, also .gz")
    parser.add_argument("--resume", action="store_true", help="go on after the last whole epoch")
    parser.add_argument("--double", action="store_true", help="compute in 64 bits, for comparisons without roundings")
    args = parser.parse_args()
    if not args.resume and (CHECKPOINT.exists() or TRAINED.exists()):
        sys.exit(f"{HERE}: there is a run already; --resume goes on with it")
    # Convolutions of 10-bit factors would make another density than the one that is evaluated later.
    torch.backends.cudnn.allow_tf32 = False
    team = Team()
    config = json.loads((HERE / "config.json").read_text())
    items = Items(args.data, config["spec"], team, torch.float64 if args.double else torch.float32)
    run = Run(config, items, team)
    if args.resume:
        run.resume()
    run.run()
    team.say(f"best bits/dim  {run.best:.6f} (validation)\nmodel          {TRAINED}")
    if team.size > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; --resume goes on after the last whole epoch, if there is one")
