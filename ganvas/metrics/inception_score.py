"""Inception score: how sure a classifier is of each sample, and how many classes it sees."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from ganvas.metrics.checks import require_integer, require_matrix


def inception_score(logits: Tensor, splits: int = 10) -> tuple[float, float]:
    """exp of the mean KL(p(y|x) || p(y)) of logits [N, K]: mean and standard deviation over contiguous splits.

    Between 1 (every sample looks the same to the classifier) and K (all classes equally often, always sure). Biased
    downwards: K sure classes drawn at random score about K exp(-(K - 1) / (2 N / splits)), 9.56 of 10 with 1,000
    samples in 10 splits. Splits follow the order of the rows, so rows sorted by class score far too low: shuffle them.

    Raises:
        UsageError: another number of dimensions, a NaN, or fewer than 2 rows a split.

    Source: arXiv:1606.03498 sec. 4; openai/improved-gan, inception_score/model.py (splits, divisor of the deviation).
    """
    logits = require_matrix(logits, "logits")
    require_integer(splits, "splits", 1, len(logits) // 2)
    log_p = logits.log_softmax(1)
    edges = [len(log_p) * g // splits for g in range(splits + 1)]
    scores = torch.stack([_score(log_p[start:stop]) for start, stop in pairwise(edges)])
    return scores.mean().item(), scores.std(correction=0).item()


def _score(log_p: Tensor) -> Tensor:
    log_mean = log_p.logsumexp(0) - math.log(len(log_p))
    return (log_p.exp() * (log_p - log_mean)).sum(1).mean().exp()
