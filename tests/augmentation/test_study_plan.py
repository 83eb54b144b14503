"""The arms and settings of a study."""

from __future__ import annotations

import pytest

from ganvas.augmentation.study_plan import BOTH, OVERSAMPLING_SHIFTS, RATIOS, SHIFTS, plan_settings
from ganvas.errors import UsageError


def test_settings_have_their_numbers_of_labels_and_every_arm_once() -> None:
    few, many, uneven = plan_settings((20, 200), 10, 10)
    assert few.counts == (20,) * 10 == few.wanted
    assert few.rival is many.rival is SHIFTS
    assert uneven.counts == (200, 20) * 5
    assert uneven.wanted == (0, 180) * 5  # each class is filled to the commonest
    assert uneven.rare == (1, 3, 5, 7, 9)
    assert uneven.rival is OVERSAMPLING_SHIFTS
    for setting in (few, many, uneven):
        names = [arm.name for arm in setting.arms()]
        assert len(names) == len(set(names))
        assert BOTH in setting.arms()
    assert few.most == tuple(round(max(RATIOS) * 20) for _ in range(10))
    assert many.most == many.wanted
    assert len(plan_settings((20,), 10, 1)) == 1


@pytest.mark.parametrize(("labels", "imbalance"), [((), 10), ((20, 20), 10), ((3,), 10), ((20,), 0)])
def test_wrong_numbers_are_refused(labels: tuple[int, ...], imbalance: int) -> None:
    with pytest.raises(UsageError):
        plan_settings(labels, 10, imbalance)


def test_no_class_can_be_rarer_than_the_fewest_labels() -> None:
    with pytest.raises(UsageError, match="--imbalance 1"):
        plan_settings((4,), 10, 10)
    assert plan_settings((20,), 10, 10)[1].name == "20 and 4"
