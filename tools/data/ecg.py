"""The electrocardiogram of one person, and what is not it, out of public packages, as CSV.

usage: ecg.py WORK_DIR OUT_DIR

Downloads scipy 1.11.4 (36 MB; its `misc/ecg.dat` is five minutes of record 208, lead MLII, of the MIT-BIH Arrhythmia
Database) and sktime 1.2.0 (8 MB; `mitdb.csv`, 20 seconds of another record) into WORK_DIR, and writes
OUT_DIR/own.csv, OUT_DIR/foreign/NAME.csv: columns time_s and ecg in millivolts, 360 samples a second. Foreign are
another person; and the last minute of own.csv with what happens to electrodes: hum of the mains, a baseline that
wanders, tremor of muscles, a lead that is reversed, a gain of a half, and a heart (its time stretched) at 1.5 times the
rate. Half of that minute has trained the gate, undisturbed; `build` tests on the last stretch. Both packages are under
BSD-3.
"""
import glob
import io
import os
import subprocess
import sys
import zipfile

import numpy as np

PACKAGES = ["scipy==1.11.4", "sktime==1.2.0"]
RATE = 360
MINUTE = 60 * RATE
SEED = 16


def fetch(work):
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--python-version", "3.11",
           "--only-binary", ":all:", "-d", work, *PACKAGES]
    subprocess.run(pip, check=True)

    def member(package, name):
        with zipfile.ZipFile(glob.glob(os.path.join(work, f"{package}-*.whl"))[0]) as archive:
            with archive.open(name) as file:
                return file.read()

    packed = member("scipy", "scipy/misc/ecg.dat")
    other = member("sktime", "sktime/datasets/data/mitdb/mitdb.csv").decode().splitlines()[1:]
    return own(packed), np.array([float(line.split(",")[0]) for line in other])


def own(packed):
    """As scipy.misc.electrocardiogram reads it: counts of a converter, 200 a millivolt."""
    values = np.load(io.BytesIO(packed))["ecg"].astype(int)
    return (values - 1024) / 200.0


def disturbed(ecg):
    random = np.random.default_rng(SEED)
    time = np.arange(len(ecg)) / RATE
    tremor = np.convolve(random.normal(size=len(ecg)), [1, -1], "same")
    yield "hum", ecg + 0.15 * np.sin(2 * np.pi * 50 * time)
    yield "wander", ecg + 0.8 * np.sin(2 * np.pi * 0.6 * time)
    yield "tremor", ecg + 0.08 * tremor
    yield "reversed", -ecg
    yield "half", 0.5 * ecg
    yield "faster", np.interp(np.arange(0, len(ecg) - 1, 1.5), np.arange(len(ecg)), ecg)


def write(path, ecg):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("time_s,ecg\n")
        for index, value in enumerate(ecg):
            file.write(f"{index / RATE:.5f},{value:.4f}\n")


def main(work, out):
    ecg, other = fetch(work)
    write(os.path.join(out, "own.csv"), ecg)
    write(os.path.join(out, "foreign", "person.csv"), other)
    for name, values in disturbed(ecg[-MINUTE:]):
        write(os.path.join(out, "foreign", f"{name}.csv"), values)


main(*sys.argv[1:3])
