"""Notes on the measures that do not fit a model or its data."""

from __future__ import annotations

from ganvas.errors import UsageError


class Notes:
    """What was left out: names by reason. `strict`: the user named the measures, so a misfit is an error."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.names: dict[str, list[str]] = {}

    def add(self, name: str, misfit: UsageError) -> None:
        """Note that a measure does not fit. Raises: UsageError: the user named it."""
        if self.strict:
            raise misfit
        names = self.names.setdefault(str(misfit), [])
        names += [] if name in names else [name]

    def lines(self) -> tuple[str, ...]:
        """One line for each reason."""
        return tuple(f"left out: {', '.join(names)} ({reason})" for reason, names in self.names.items())
