"""BatchNorm over several ranks equals BatchNorm over their whole batch."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas.layers.sync_batch_norm import synchronize

RANKS = 2


def gathers() -> list[Callable[[Tensor], Tensor]]:
    """For each of two threads a function that collects what both bring."""
    brought: list[list[Tensor]] = [[] for _ in range(RANKS)]
    there = threading.Barrier(RANKS)

    def gather(rank: int, values: Tensor) -> Tensor:
        brought[rank].append(values.clone())
        count = len(brought[rank])
        there.wait(20)
        return torch.stack([brought[other][count - 1] for other in range(RANKS)])

    return [lambda values, rank=rank: gather(rank, values) for rank in range(RANKS)]  # type: ignore[misc]


def network(dims: int) -> nn.Sequential:
    torch.manual_seed(0)
    conv: Any = (nn.Conv2d, nn.Conv3d)[dims - 2]
    norm: Any = (nn.BatchNorm2d, nn.BatchNorm3d)[dims - 2]
    return nn.Sequential(conv(2, 6, 3), norm(6), nn.ReLU(inplace=True), conv(6, 4, 3), norm(4), nn.LeakyReLU(0.2, inplace=True))


def play(net: nn.Module, x: Tensor) -> Tensor:
    """Two steps' forward and backward passes; the mean loss, so that gradients of shares average to that of the whole."""
    for factor in (1.0, 2.0):
        out = net(x * factor)
        (out.square().mean() + (out * torch.linspace(-1, 1, out.shape[1]).view(1, -1, *[1] * (out.ndim - 2))).mean()).backward()
    return out.detach()  # type: ignore[no-any-return]


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, "last"])
def test_two_ranks_normalize_over_the_whole_batch(dims: int, layout: Any) -> None:
    if layout == "last":
        layout = (torch.channels_last, torch.channels_last_3d)[dims - 2]
    alone, x = network(dims), torch.randn(8, 2, *[6] * dims) * 3 + 10
    x[:4] += 5  # two shares that are unlike
    x = x.to(memory_format=layout)
    parts = [copy.deepcopy(alone) for _ in range(RANKS)]
    whole = [x.clone().requires_grad_(), *(part.clone().requires_grad_() for part in x.chunk(RANKS))]
    expected = play(alone, whole[0])
    found: dict[int, Tensor] = {}
    for part, gather in zip(parts, gathers(), strict=True):
        synchronize(part, gather)

    def run(rank: int) -> None:
        found[rank] = play(parts[rank], whole[1 + rank])

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(RANKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    torch.testing.assert_close(torch.cat([found[0], found[1]]), expected, rtol=1e-4, atol=1e-4)
    of_x = torch.cat([each.grad for each in whole[1:]]) / RANKS  # type: ignore[misc]
    torch.testing.assert_close(of_x, whole[0].grad, rtol=1e-3, atol=1e-5)
    for name, weight in alone.named_parameters():
        grads = [dict(part.named_parameters())[name].grad for part in parts]
        torch.testing.assert_close(sum(grads) / RANKS, weight.grad, rtol=1e-3, atol=1e-4)
    for part in parts:
        assert part.state_dict().keys() == alone.state_dict().keys()
        for name, buffer in alone.named_buffers():
            torch.testing.assert_close(dict(part.named_buffers())[name], buffer, rtol=1e-4, atol=1e-5)


def test_one_rank_is_plain_batch_norm_up_to_rounding_also_in_bfloat16() -> None:
    plain, x = network(2), torch.randn(16, 2, 8, 8)
    synced = copy.deepcopy(plain)
    synchronize(synced, lambda values: values[None])
    outs = []
    for net in (plain, synced):
        with torch.autocast("cpu", torch.bfloat16):
            outs.append(net(x))
        outs[-1].float().square().mean().backward()
    assert outs[0].dtype == outs[1].dtype == torch.bfloat16
    torch.testing.assert_close(outs[0], outs[1], rtol=2e-2, atol=2e-2)
    for a, b in zip(plain.parameters(), synced.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=5e-2, atol=2e-3)


def test_evaluation_asks_nobody() -> None:
    net = network(2)
    plain = copy.deepcopy(net).eval()
    synchronize(net, lambda _: pytest.fail("asked"))
    x = torch.randn(2, 2, 8, 8)
    assert torch.equal(net.eval()(x), plain(x))


def test_a_copy_from_before_stays_plain() -> None:
    net = network(2)
    before = copy.deepcopy(net)
    synchronize(net, lambda _: pytest.fail("asked"))
    before(torch.randn(2, 2, 8, 8))
    assert type(before[1]) is nn.BatchNorm2d
