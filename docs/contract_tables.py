"""Tables about contracts, from the YAML that declares them: what each dataset is for, and each rule with its place."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

Rows = list[tuple[object, ...]]


def made(profile: str) -> list[str]:
    """The datasets that the pipeline makes for a fleet, in the order in which rows pass them."""
    from fleet_health.pipeline import pipeline

    root = f"/Fleet/{profile}/"
    aliases = [alias for transform in pipeline.transforms for alias in transform.output_aliases]
    names = [alias.removeprefix(root) for alias in aliases if alias.startswith(root)]
    passed = ("raw", "malformed", "device_reg", "clean", "quarantine", "dead", "row", "label", "device_f", "feature_v")
    return sorted(names, key=lambda name: (next((i for i, p in enumerate(passed) if name.startswith(p)), 99), name))


def contracts(profile: str) -> Rows:
    """Dataset, what it is for, who writes and answers for it, and how many columns and rules it has."""
    from fleet_health.contracts.loader import shipped_contract

    rows: Rows = []
    for name in made(profile):
        if "/" not in name:
            parsed = shipped_contract(name)
            told = parsed.contract
            wide = " and ".join([str(len(parsed.plain)), *(f"one per {each}" for each in parsed.each)])
            some = len(parsed.stored) - len(parsed.plain) - len(parsed.each)
            wide += f", {some} more with `source.narrow.merge`" if some else ""
            file = f"[`{name}`](../../transforms-python/src/fleet_health/contracts/{name}.yaml)"
            rows.append((file, told.purpose, told.producer, told.owner, told.write_mode, wide, len(told.expectations)))
    return rows


def rules(profile: str) -> Rows:
    """Dataset, rule, what holds, where that is enforced, what happens otherwise, and why."""
    from fleet_health.contracts.loader import shipped_contract
    from fleet_health.profiles.loader import shipped_profile

    fleet = shipped_profile(profile)
    return [row for name in made(profile) if "/" not in name for row in _rules(name, shipped_contract(name), fleet)]


def _rules(name: str, parsed: Any, fleet: Any) -> Iterator[tuple[object, ...]]:
    from fleet_health.contracts.agreement import ids
    from fleet_health.contracts.compiled import checks_of

    checks = checks_of(name, fleet)
    for rule in parsed.contract.expectations:
        through = getattr(rule, "through", None)
        owned = f"{rule.id} to {through}" if through else rule.id
        said = [check.name[7:] for check in checks if check.name[:6] in ids(rule.id, through)]
        says = getattr(rule, "says", said[0] if said else "nothing in this fleet")
        says += f", and {len(said) - 1} more of this kind" if len(said) > 1 else ""
        yield f"`{name}`", owned, says, _place(rule, fleet), rule.effect, rule.why


def _place(rule: Any, fleet: Any) -> str:
    if rule.kind == "asserted":
        return f"the transform raises `{rule.error.split(':')[1]}`"
    return f"audit `{rule.measure}`" if rule.kind == "measured" else "every write"


def rule_kinds() -> Rows:
    """Kind, what it demands, and where rules of that kind are enforced."""
    from fleet_health.contracts.rules import Expectation

    rows: Rows = []
    for kind in typing.get_args(typing.get_args(Expectation)[0]):
        name = typing.get_args(kind.model_fields["kind"].annotation)[0]
        place = {"measured": "audit dataset", "asserted": "inside the transform"}.get(name, "check on the output")
        rows.append((f"`{name}`", " ".join(str(kind.__doc__).split()), place))
    return rows
