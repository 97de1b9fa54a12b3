//! Scores: numbers that are higher for inputs more like the training data.
