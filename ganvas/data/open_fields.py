"""Open a data source for a game that takes inputs: pairs, two domains, label maps. The needs of the game decide the fields."""

from __future__ import annotations

from collections.abc import Sequence

from ganvas.config import DataConfig
from ganvas.data.collection import Progress
from ganvas.data.dataset import Dataset
from ganvas.errors import DataError
from ganvas.utils.parsing import printable


def open_fields(
    config: DataConfig,
    needs: Sequence[str],
    *,
    resolution: int | None = None,  # noqa: ARG001
    channels: int | None = None,  # noqa: ARG001
    progress: Progress | None = None,  # noqa: ARG001
) -> Dataset:
    """The fields `needs` of `config.source`: ("source", "real"), ("a", "b"), ("map", "real") or ("low", "real").

    "real", if it is needed, is the first field of the data. The other arguments are those of `open_source`.

    Raises:
        UsageError: a setting does not fit.
        DataError: no such path, or it does not have these fields.
    """
    raise DataError(f"{printable(config.source)}: expected the fields {', '.join(needs)}, and none is known; choose other data")
