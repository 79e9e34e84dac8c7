"""A fleet file is validated when loaded; every mistake is answered with its place and, for names, the nearest one."""

from __future__ import annotations

import copy
import json
import pickle
from importlib import resources
from pathlib import Path

import pytest
import yaml

from mirror.synth import FleetFileError, SynthRequestError, load_fleet, parse_anomalies
from mirror.synth.fleet import parse_fleet

TEXT = (resources.files("mirror.synth") / "fleets" / "refrigeration.yaml").read_text()


DOCUMENT = yaml.safe_load(TEXT)


def _changed(change) -> str:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return json.dumps(document, default=str)  # JSON is YAML, and quicker to write


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        (lambda d: d["sensors"][1].update(std=0), "sensors.1.double.std", "greater than 0"),
        (lambda d: d["sensors"][1].update(sigma=1), "sensors.1.double.sigma", "not permitted"),
        (lambda d: d["sensors"].append(dict(d["sensors"][0])), "", "'temperature_evaporator' is listed twice"),
        (lambda d: d["sensors"][10].pop("share"), "sensors.10.boolean", "give either every_hours or share"),
        (lambda d: d.update(phi=1.0), "phi", "less than 1"),
        (lambda d: d.update(start="2026-01-05T00:00:00"), "", "start needs a time zone"),
        (lambda d: d["firmware"][0].update(share=0.3), "", "must add up to 1"),
        (lambda d: d["firmware"][0].update(missing=["subcoling"]), "", "Did you mean 'subcooling'?"),
        (lambda d: d["correlations"][0].update(first="door_open_close"), "", "is no numeric sensor"),
        (lambda d: d["correlations"][1].update(second="current_compressor"), "", "second sensor of two correlations"),
        (
            lambda d: d["correlations"].append(
                {"first": "vibration_compressor", "second": "temperature_evaporator", "rho": 0.1}
            ),
            "",
            "correlations form a circle",
        ),
        (
            lambda d: d["scenarios"]["cooling_loss"]["effects"][0].update(effect="shft"),
            "scenarios.cooling_loss.effects",
            "no effect named 'shft'",
        ),
        (
            lambda d: d["scenarios"]["cooling_loss"]["effects"][0].update(sensors=["tempreature_evaporator"]),
            "",
            "unknown sensor 'tempreature_evaporator'. Did you mean 'temperature_evaporator'?",
        ),
        (
            lambda d: d["scenarios"]["cooling_loss"]["effects"][0].update(amont=3),
            "scenarios.cooling_loss.effects",
            "not permitted",
        ),
    ],
)
def test_mistakes_are_named(change, place: str, says: str) -> None:
    with pytest.raises(FleetFileError) as refused:
        parse_fleet(_changed(change), "mine.yaml")
    assert str(refused.value).startswith(f"mine.yaml: {place}")
    assert says in str(refused.value)
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)  # noqa: S301 - our own error, just pickled


def test_a_broken_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FleetFileError, match=r"broken.yaml: is not YAML: "):
        parse_fleet("sensors: [", "broken.yaml")
    with pytest.raises(FleetFileError, match=r"nowhere: no such file.*shipped: refrigeration"):
        load_fleet("nowhere")
    with pytest.raises(FleetFileError, match="valid dictionary"):
        parse_fleet("- 1", "list.yaml")


def test_a_fleet_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "pumps.yaml"
    path.write_text(_changed(lambda d: d.update(fleet="pumps", device_id="PUMP-{index}")))
    assert load_fleet(path).device_id.format(index=3) == "PUMP-3"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("3", "write DEVICE=KIND"),
        ("12=cooling_loss", "devices are 0 to 9"),
        ("REF-TEST-0003=cooling_loss", "Did you mean 'REF-TEST-00003'?"),
        ("3=cooling_los", "Did you mean 'cooling_loss'?"),
        ("3=cooling_loss@soon", "the onset in hours, a number"),
        ("3=cooling_loss@-1", "not negative"),
        ("3=cooling_loss@nan", "not negative"),
        ("0%=cooling_loss", "above 0% and at most 100%"),
        ("ten%=cooling_loss", "above 0% and at most 100%"),
    ],
)
def test_wrong_anomalies_are_refused_with_the_way_out(text: str, says: str) -> None:
    with pytest.raises(SynthRequestError) as refused:
        parse_anomalies([text], load_fleet(), 10)
    assert repr(text) in str(refused.value)
    assert says in str(refused.value)
