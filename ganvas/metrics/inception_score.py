"""Inception score: whether a classifier is certain about each sample, and whether all classes occur."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from ganvas.metrics.checks import require_integer, require_matrix


def inception_score(logits: Tensor, splits: int = 10) -> tuple[float, float]:
    """exp of the mean KL(p(y|x) || p(y)) of logits [N, K]: mean and standard deviation over contiguous splits.

    From 1 (all samples get the same prediction) to K (certain predictions, all classes equally frequent). It is biased
    downwards: K certain classes at random score about K exp(-(K - 1) / (2 N / splits)), 9.56 of 10 for 1,000 samples in 10
    splits. Splits follow the order of the rows: shuffle rows that are sorted by class, or the score is far too low.

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
