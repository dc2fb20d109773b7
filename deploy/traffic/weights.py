"""Percentages of traffic to an alias's routing and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DIGITS = 6  # weights are compared after rounding, so that what a service echoes equals what was written


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an alias sends its traffic: `version`, of which `share` (0 to 1) goes to `additional` instead.

    `additional` None means wholly on `version`. Source: Lambda AliasRoutingConfiguration (at most one additional).
    """

    version: str
    additional: str | None = None
    share: float = 0.0

    @property
    def split(self) -> bool:
        """Whether two versions get traffic."""
        return self.additional is not None

    def weight_pct(self, version: str) -> float:
        """The percentage of the traffic that `version` gets."""
        if version == self.additional:
            return round(self.share * 100, _DIGITS - 2)
        return round((1 - self.share) * 100, _DIGITS - 2) if version == self.version else 0.0

    def __str__(self) -> str:
        if self.additional is None:
            return f"100 % version {self.version}"
        old = f"{self.weight_pct(self.version):g} % version {self.version}"
        return f"{old}, {self.weight_pct(self.additional):g} % version {self.additional}"


def toward(old: str, new: str, weight_pct: float) -> Routing:
    """The routing that gives `new` that percentage; at 100 it is wholly on `new`, at 0 wholly on `old`."""
    if weight_pct >= 100:
        return Routing(new)
    if weight_pct <= 0:
        return Routing(old)
    return Routing(old, new, round(weight_pct / 100, _DIGITS))


def additional_weights(routing: Routing) -> dict[str, float]:
    """`AdditionalVersionWeights` as UpdateAlias takes it; `{}` clears what was there."""
    return {} if routing.additional is None else {routing.additional: routing.share}


def from_weights(version: str, weights: Mapping[str, Any]) -> Routing:
    """The routing that an alias answer describes; an additional version with weight 0 gets nothing and is left out."""
    for additional, share in weights.items():
        if round(float(share), _DIGITS) > 0:
            return Routing(version, additional, round(float(share), _DIGITS))
    return Routing(version)


def to_data(routing: Routing) -> dict[str, Any]:
    """`routing` as plain data."""
    return {"version": routing.version, "additional": routing.additional, "share": routing.share}


def from_data(data: Mapping[str, Any]) -> Routing:
    """What `to_data` wrote."""
    return Routing(data["version"], data["additional"], float(data["share"]))
