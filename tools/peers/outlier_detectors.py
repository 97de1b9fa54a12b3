"""What else finds outliers: three detectors of scikit-learn, fitted to the same benign data.

usage: outlier_detectors.py DIR SEED

DIR holds fit.npy (u8 or f32, n x anything) and sets named 0.npy, 1.npy, ... Writes DETECTOR-0.npy
and so on, f64, a score an input that is higher for inputs like those of fit.npy; prints the version.
Images are reduced to their 64 principal components; vectors are standardized. No setting was tuned.
"""

import glob
import os
import sys

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

# A kernel of more takes minutes and memory, and says no more.
MOST_OF_KERNEL = 5000


def read(path):
    values = np.load(path)
    return values.reshape(len(values), -1).astype(np.float32), values.dtype == np.uint8


def main():
    directory, seed = sys.argv[1], int(sys.argv[2])
    fit, images = read(os.path.join(directory, "fit.npy"))
    components = min(64, *fit.shape)
    first = PCA(components, random_state=seed) if images else StandardScaler()
    reduced = first.fit(fit).transform(fit)
    detectors = {
        "isolation_forest": IsolationForest(n_estimators=300, random_state=seed, n_jobs=1),
        "lof": LocalOutlierFactor(n_neighbors=20, novelty=True, n_jobs=1),
        "one_class_svm": make_pipeline(StandardScaler(), OneClassSVM(gamma="scale", nu=0.05)),
    }
    sets = sorted(glob.glob(os.path.join(directory, "[0-9]*.npy")))
    for name, detector in detectors.items():
        detector.fit(reduced[:MOST_OF_KERNEL] if name == "one_class_svm" else reduced)
        for path in sets:
            scores = detector.score_samples(first.transform(read(path)[0])).astype(np.float64)
            np.save(os.path.join(directory, f"{name}-{os.path.basename(path)}"), scores)
    print(sklearn.__version__)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
