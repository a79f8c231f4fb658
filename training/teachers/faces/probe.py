"""A teacher without training: ridge regression of tags on what two finished nets see, answered about people that it was not fitted to."""

import numpy as np
import torch

# Directions that are kept of each net's features.
KEPT = (2000, 2500)

# Strength of the ridge, chosen on validation people between 1e-4 and 4e-4.
RIDGE = 2e-4

FOLDS = 5

# By how much the mean of this teacher's logits and an ANet's is drawn apart: two opinions agree on less than either is sure of. Chosen on validation people.
SHARPER = 1.2


def mixed(probabilities: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """This teacher's probabilities and an ANet's logits (N x attributes each) as one opinion."""
    clipped = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return 1 / (1 + np.exp(-SHARPER * (np.log(clipped / (1 - clipped)) + logits) / 2))


def _narrowed(features: np.ndarray, fitted: np.ndarray, kept: int, seed: int) -> torch.Tensor:
    """Standardized features along the directions in which they differ most."""
    values = features.astype(np.float32)
    mean, deviation = values[fitted].mean(0), values[fitted].std(0) + 1e-3
    values = torch.from_numpy((values - mean) / deviation / np.float32(np.sqrt(values.shape[1])))
    rows = values[torch.from_numpy(fitted[::2])]
    # One step of subspace iteration (Halko, Martinsson and Tropp, 2011).
    kept = min(kept, values.shape[1], len(rows))
    start = torch.randn(values.shape[1], kept, generator=torch.Generator().manual_seed(seed))
    directions, _ = torch.linalg.qr(rows.T @ (rows @ start))
    return values @ directions


def probabilities(seen: list[np.ndarray], tags: np.ndarray, fitted: np.ndarray, people: np.ndarray) -> np.ndarray:
    """N x attributes: for the faces at `fitted` from regressions that left their people out, for all others from all of these.

    `seen` are features, N x K each; `tags` is N x attributes (1 and 0); `people` is a number a face.
    """
    parts = [_narrowed(features, fitted, kept, seed) for seed, (features, kept) in enumerate(zip(seen, KEPT))]
    design = torch.cat([*parts, torch.full((len(tags), 1), 0.3)], 1)
    answers = torch.from_numpy(tags[fitted]) * 2 - 1
    mean = answers.mean(0)
    rows, centered = design[torch.from_numpy(fitted)], answers - mean

    def solved(gram: torch.Tensor, right: torch.Tensor, count: int) -> torch.Tensor:
        lower = torch.linalg.cholesky(gram + RIDGE * count * torch.eye(len(gram)))
        return torch.cholesky_solve(right, lower)

    gram, right = rows.T @ rows, rows.T @ centered
    scores = design @ solved(gram, right, len(rows)) + mean
    for fold in range(FOLDS):
        left = torch.from_numpy(people[fitted] % FOLDS == fold)
        own, count = rows[left], int((~left).sum())
        weights = solved(gram - own.T @ own, right - own.T @ centered[left], count)
        scores[torch.from_numpy(fitted)[left]] = own @ weights + mean
    return _calibrated(scores, torch.from_numpy(fitted), torch.from_numpy(tags[fitted])).numpy()


def _calibrated(scores: torch.Tensor, fitted: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
    """Sigmoids of the scores, fitted to those of left-out people."""
    slope = torch.full((scores.shape[1],), 3.0, requires_grad=True)
    shift = torch.zeros(scores.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([slope, shift], max_iter=60)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(scores[fitted] * slope + shift, tags)
        value.backward()
        return value

    optimizer.step(loss)
    return torch.sigmoid(scores * slope + shift).detach()
