"""The other sides of `flowgate bench host`: the same flow in PyTorch eager and in ONNX Runtime.

Started with a directory that holds model.safetensors and images.npy; first once with `--engine none`, which exports the
flow to ONNX and quantizes it in every way that ONNX Runtime has. Then each side reads commands from standard input, one
a line: `score N` answers with the losses (minus log-likelihood in nats) of the first N images, `one N` with the
milliseconds of N single images, `many N` with those of N batches of all images, each as a line of JSON with the peak of
the process's memory. From bytes to log-likelihood; threads as told, nothing else changed.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from peer import peak_kib

WARM_UP = 30


def eager(directory, _images, threads):
    import torch

    from flow_torch import LogProb

    torch.set_num_threads(threads)
    model = LogProb(directory / "model.safetensors")

    def log_prob(images):
        with torch.inference_mode():
            return model(torch.from_numpy(images)).numpy()

    return log_prob, f"PyTorch {torch.__version__}"


def export(directory, images):
    """The flow as ONNX with its weights as initializers, where quantization looks for them."""
    import onnx
    import torch

    from flow_torch import LogProb

    path = directory / "flow.onnx"
    model, image = LogProb(directory / "model.safetensors"), torch.from_numpy(images[:1])
    model(image)  # masks are made at the first call, and are constants afterwards
    axes = {"images": {0: "n"}, "log_prob": {0: "n"}}
    names = {"input_names": ["images"], "output_names": ["log_prob"]}
    warnings.simplefilter("ignore")
    torch.onnx.export(model, (image,), path, dynamo=False, dynamic_axes=axes, **names)
    model = onnx.load(path)
    for node in [node for node in model.graph.node if node.op_type == "Constant"]:
        node.attribute[0].t.name = node.output[0]
        model.graph.initializer.append(node.attribute[0].t)
        model.graph.node.remove(node)
    onnx.save(model, path)
    return path


def quantize(source, target, images, form):
    from onnxruntime import quantization

    if form == "dynamic":
        # Signed weights exist for fewer kinds of layers here.
        kinds = {"op_types_to_quantize": ["Conv", "Gemm", "MatMul"], "weight_type": quantization.QuantType.QUInt8}
        return quantization.quantize_dynamic(source, target, **kinds)
    feeds = iter([{"images": images[i : i + 1]} for i in range(len(images))])

    class Calibration(quantization.CalibrationDataReader):
        def get_next(self):
            return next(feeds, None)

    quantization.quantize_static(
        source,
        target,
        Calibration(),
        quant_format=quantization.QuantFormat[form],
        per_channel=True,
        op_types_to_quantize=["Conv", "ConvTranspose", "Gemm", "MatMul", "Relu"],
    )


INT8 = {"static QDQ": "QDQ", "static operators": "QOperator", "dynamic": "dynamic"}


def prepare(directory, images):
    source = export(directory, images)
    for name, form in INT8.items():
        try:
            quantize(source, directory / f"{name}.onnx", images, form)
        except Exception as error:  # a way that this version cannot go is left out
            print(f"ONNX Runtime, int8 {name}: {error}", file=sys.stderr)


def session(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    made = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: made.run(None, {"images": images})[0]


def float32(directory, _images, threads):
    import onnxruntime

    return session(directory / "flow.onnx", threads), f"ONNX Runtime {onnxruntime.__version__}"


def int8(directory, images, threads):
    """The fastest of ONNX Runtime's own ways to 8 bits."""
    import onnxruntime

    found = {}
    for name in INT8:
        try:
            log_prob = session(directory / f"{name}.onnx", threads)
            milliseconds = np.median(latencies(log_prob, images, 2 * WARM_UP)[WARM_UP:])
        except Exception as error:  # quantized, but no kernel for it
            print(f"ONNX Runtime, int8 {name}: {error}", file=sys.stderr)
            continue
        found[name] = milliseconds, log_prob
    name = min(found, key=lambda name: found[name][0])
    return found[name][1], f"ONNX Runtime {onnxruntime.__version__}, {name}"


ENGINES = {"eager": eager, "onnx": float32, "onnx-int8": int8}


def latencies(log_prob, images, count):
    """Milliseconds of single images, one after another."""
    times = []
    for index in range(count):
        image = images[index % len(images)][None]
        start = time.perf_counter()
        log_prob(image)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def batches(log_prob, images, count):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        log_prob(images)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def serve(log_prob, images):
    for line in sys.stdin:
        verb, count = line.split()
        answer = {"ms": [], "loss_nats": []}
        if verb == "score":
            answer["loss_nats"] = [-float(value) for value in log_prob(images[: int(count)])]
        else:
            answer["ms"] = {"one": latencies, "many": batches}[verb](log_prob, images, int(count))
        print(json.dumps({**answer, "peak_kib": peak_kib()}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--engine", choices=["none", *ENGINES], required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    images = np.load(args.directory / "images.npy")
    if args.engine == "none":
        return prepare(args.directory, images)
    log_prob, name = ENGINES[args.engine](args.directory, images, args.threads)
    latencies(log_prob, images, WARM_UP)
    print(json.dumps({"library": name, "threads": args.threads}), flush=True)
    serve(log_prob, images)


if __name__ == "__main__":
    main()
