"""Conformal p-values by nonconform: JSON of calibration scores and scores in, of p-values and the version out.

Scores are higher for inputs like those of the calibration; nonconform's are higher for anomalies.
"""
import json
import sys
from importlib.metadata import version

try:
    import numpy as np
    from nonconform import Empirical
except ImportError:
    sys.exit(3)

given = json.load(sys.stdin)
calibration, scores = (-np.array(given[key], dtype=float) for key in ("calibration", "scores"))
p_values = Empirical().compute_p_values(scores, calibration)
json.dump({"version": version("nonconform"), "p_values": p_values.tolist()}, sys.stdout)
