"""The flows of `flowgate bench train` in PyTorch, on the CPU: the same weights, batch and noise, the same loss.

Started by `flowgate bench train --against torch`, with a directory that holds model.safetensors (weights, and the flow
as JSON in its metadata), inputs.npy, noise.npy and optimizer.json. Reads commands from standard input, one a line,
`step N` or `eval N`, and answers each with one line of JSON: milliseconds and loss of every step (in nats per item,
before the update), or of every evaluation of the batch, and the peak of the process's memory. `gradient` leaves that of
the loss in gradient.safetensors, under the names of the weights. Ordinary PyTorch as one would write it for speed: functional convolutions, the fused Adam, either memory format, its own choice of threads.
"""

import argparse
import json
import sys
import time

import numpy as np
import torch

from flow_torch import Flow, read_safetensors, write_safetensors
from peer import peak_kib


def serve(directory, flow, optimizer, x, noise):
    def step():
        optimizer.zero_grad(set_to_none=True)
        nats = -flow.log_prob(x, noise).mean()
        (nats / x[0].numel()).backward()
        optimizer.step()
        return nats.item()

    def evaluate():
        with torch.inference_mode():
            return -flow.log_prob(x, noise).mean().item()

    def gradient():
        optimizer.zero_grad(set_to_none=True)
        (-flow.log_prob(x, noise).mean()).backward()
        gradients = {name: tensor.grad for name, tensor in flow.tensors.items()}
        write_safetensors(f"{directory}/gradient.safetensors", gradients)
        return {"ms": [], "loss_nats": [], "peak_kib": peak_kib()}

    for line in sys.stdin:
        if line.strip() == "gradient":
            print(json.dumps(gradient()), flush=True)
            continue
        verb, count = line.split()
        act = {"step": step, "eval": evaluate}[verb]
        times, losses = [], []
        for _ in range(int(count)):
            start = time.perf_counter()
            losses.append(act())
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({"ms": times, "loss_nats": losses, "peak_kib": peak_kib()}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("--layout", choices=["nchw", "channels_last"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    spec, tensors = read_safetensors(f"{args.directory}/model.safetensors")
    x = torch.from_numpy(np.load(f"{args.directory}/inputs.npy").astype(np.float32))
    noise = torch.from_numpy(np.load(f"{args.directory}/noise.npy")).view_as(x)
    if args.layout == "channels_last":
        last = lambda t: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
        x, noise = last(x), last(noise)
        tensors = {name: last(tensor) for name, tensor in tensors.items()}
    flow = Flow(spec, tensors)
    with open(f"{args.directory}/optimizer.json") as file:
        settings = json.load(file)
    betas = settings["beta1"], settings["beta2"]
    optimizer = torch.optim.Adam(flow.parameters, settings["learning_rate"], betas, settings["epsilon"], fused=True)
    print(json.dumps({"library": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads()}), flush=True)
    serve(args.directory, flow, optimizer, x, noise)


main()
