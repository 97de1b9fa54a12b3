"""The other side of `flowgate bench watch`: OpenCV reduces frames of YUYV, ONNX Runtime computes the flow.

Started with the directory that holds flow.onnx and with a frame's size; reads frames from standard input and writes a
line of JSON for each: the log-likelihood, and the microseconds from its last byte to it.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime


def main():
    directory, width, height = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(directory / "flow.onnx", options, providers=providers)
    frame = np.empty((height, width, 2), np.uint8)
    view, stream = memoryview(frame).cast("B"), sys.stdin.buffer
    versions = f"OpenCV {cv2.__version__}, ONNX Runtime {onnxruntime.__version__}, NumPy {np.__version__}"
    print(json.dumps({"library": versions}), flush=True)
    while stream.readinto(view) == len(view):
        complete = time.perf_counter()
        grey = cv2.cvtColor(frame, cv2.COLOR_YUV2GRAY_YUY2)
        small = cv2.resize(grey, (28, 28), interpolation=cv2.INTER_AREA)
        log_prob = session.run(None, {"images": small[None, None]})[0]
        micros = round(1e6 * (time.perf_counter() - complete))
        print(json.dumps({"log_prob": float(log_prob[0]), "latency_us": {"total": micros}}), flush=True)


if __name__ == "__main__":
    main()
