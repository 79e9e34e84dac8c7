"""The synthetic generator makes every kind of broken data that pipelines must survive, each in a named scenario."""

from __future__ import annotations

from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.synth import load_fleet
from mirror.synth.effects import effects

# Effect of the generator -> what it stands for in the field.
EDGE_CASES = {
    "blank": "values missing",
    "buffer": "hours delivered late and at once",
    "clock": "clocks that are wrong",
    "garble": "payloads that cannot be read",
    "hold": "a sensor that froze",
    "not_a_number": "NaN",
    "repeat": "messages delivered twice",
    "scale": "another unit or scale",
    "shift": "values out of range",
    "silence": "a device that went silent",
    "stranger": "devices nobody registered",
}


def examine(case: ReviewCase) -> Answer:
    fleet = load_fleet()
    names = {kind: name for name, kind in effects().items()}
    made: dict[str, list[str]] = {}
    for name, scenario in fleet.scenarios.items():
        for effect in scenario.effects:
            made.setdefault(names[type(effect)], []).append(name)
    proof = "; ".join(f"{what}: {', '.join(made[name][:2])}" for name, what in EDGE_CASES.items() if name in made)
    missing = [f"{what} ({name})" for name, what in EDGE_CASES.items() if name not in made]
    link = "mirror synth --help, scenarios of its built-in fleet"
    if missing:
        fix = f"Add a scenario with {' and '.join(missing)} to the fleet's YAML."
        return Answer(Verdict.NOT_MET, f"no scenario makes {', '.join(missing)}", link, fix)
    return Answer(Verdict.MET, proof, link)
