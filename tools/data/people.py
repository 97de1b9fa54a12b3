"""A gate of walking on people who had no part in its making: HAPT's people cut anew, several times.

usage: people.py MOTION_DIR WORK_DIR [--flowgate COMMAND] [--splits 10]
                 [--train "OPTIONS"] [--calibrate "OPTIONS"]

MOTION_DIR is what motion.py wrote. The features, epochs and score of records/motion.md were compared on people 25 to 30,
so here 6 of people 1 to 24 test, 6 of the others calibrate and 18 train, drawn anew for every split. Each figure is
printed with its split; then the mean and the worst. A site is calibrated on the first 120 windows of a new person, as
SiteCalibration does on a device, and measured on the person's others.
"""
import argparse
import json
import os
import shutil
import subprocess

import numpy as np

WINDOWS = ["--window", "128", "--hop", "16", "--channels", "ax,ay,az", "--features", "means:8,bands:4"]
FOREIGN = ("sitting", "standing", "upstairs", "downstairs")
ALPHA = 0.01
SITE = 120


def folders(motion):
    """The folder of every person's walking and of what is foreign to it."""
    found = {}
    for part in os.listdir(motion):
        for activity in ("walking", *FOREIGN):
            folder = os.path.join(motion, part, activity)
            for user in os.listdir(folder):
                found[int(user.split("-")[1]), activity] = os.path.abspath(os.path.join(folder, user))
    return found


def cut(seed):
    """People that train, calibrate and test."""
    draw = np.random.default_rng(seed)
    test = draw.permutation(np.arange(1, 25))[:6]
    others = draw.permutation(np.setdiff1d(np.arange(1, 31), test))
    return {"train": others[:18], "calibrate": others[18:], "test": test}


def link(found, people, work):
    """The split as folders of links."""
    shutil.rmtree(work, ignore_errors=True)
    for part, members in people.items():
        for person in members:
            for activity in ("walking", *FOREIGN):
                folder = os.path.join(work, part, activity)
                os.makedirs(folder, exist_ok=True)
                if (person, activity) in found:
                    os.symlink(found[person, activity], os.path.join(folder, f"user-{person:02}"))


def scores(flowgate, gate, data):
    """Deciding score, whether it was rejected, and the person, of every window."""
    run = subprocess.run([*flowgate, "score", gate, "--data", data, "--json"], check=True, text=True, stdout=subprocess.PIPE)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    values = np.array([-np.inf if row["saturated"] else row["score_raw"] for row in rows], dtype=float)
    rejected = np.array([row["decision"] != "accept" for row in rows])
    return values, rejected, np.array([row["name"].split("/")[0] for row in rows])


def on_site(own, people):
    """Rejected by thresholds of each person's own first windows, of those that follow."""
    rejected = windows = 0
    for person in np.unique(people):
        mine = own[people == person]
        first, rest = np.sort(mine[:SITE]), mine[SITE:]
        if len(first) == SITE:
            rejected += (rest < first[int(ALPHA * (SITE + 1)) - 1]).sum()
            windows += len(rest)
    return rejected / max(windows, 1)


def measure(flowgate, train, calibrate, work, seed):
    def run(*words):
        subprocess.run([*flowgate, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    part = lambda name, activity="walking": os.path.join(work, name, activity)
    trained, model, gate = (os.path.join(work, name) for name in ("run", "model.flow", "gate.flow"))
    run("train", *train, "--data", part("train"), *WINDOWS, "--seed", str(seed), "--out", trained)
    run("export", trained, "--format", "q8", "--calibrate", part("train"), "--out", model)
    run("calibrate", model, "--data", part("calibrate"), *calibrate, "--alpha", str(ALPHA), "--out", gate)
    own, rejected, people = scores(flowgate, gate, part("test"))
    row = {"windows": len(own), "false alarms": rejected.mean(), "on site": on_site(own, people)}
    report = os.path.join(work, "report")
    foreign = [word for name in FOREIGN for word in ("--ood", f"{name}={part('test', name)}")]
    run("eval", gate, "--in", part("test"), *foreign, "--baseline-data", part("train"), "--report", report)
    with open(os.path.join(report, "results.json")) as file:
        results = json.load(file)
    areas = {of["name"]: of["separation"] for of in results["scores"]}
    seen = {of["name"]: of["rejected_share"] for of in results["ood"]}
    for name in FOREIGN:
        row[name] = areas["likelihood"][name]["auroc"]
        for other in ("gaussian", "mixture"):
            row[f"{name}, {other}"] = areas[other][name]["auroc"]
        row[f"{name}, rejected"] = seen[name]
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motion")
    parser.add_argument("work")
    parser.add_argument("--flowgate", default="flowgate")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--train", default="--preset vector-small --whiten 72 --epochs 25")
    parser.add_argument("--calibrate", default="--blocks folders --score likelihood")
    args = parser.parse_args()
    found, rows = folders(args.motion), []
    for seed in range(1, args.splits + 1):
        people = cut(seed)
        link(found, people, os.path.join(args.work, "split"))
        rows.append(measure(args.flowgate.split(), args.train.split(), args.calibrate.split(), os.path.join(args.work, "split"), seed))
        tested = ", ".join(str(person) for person in sorted(people["test"]))
        if len(rows) == 1:
            print("| split, people tested |", " | ".join(rows[0]), "|")
            print("|---|" + "--:|" * len(rows[0]))
        print(f"| {seed}: {tested} |", " | ".join(f"{value:.4g}" for value in rows[-1].values()), "|", flush=True)
    for name, of in (("mean", np.mean), ("least", np.min), ("greatest", np.max)):
        print(f"| {name} |", " | ".join(f"{of([row[key] for row in rows]):.4g}" for key in rows[0]), "|")


main()
