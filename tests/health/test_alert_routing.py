"""The routing file: what is refused and where, whose turn it is, and until when somebody has."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from mirror.health.alerts import open_quality
from mirror.health.deadlines import Calendar, deadline
from mirror.health.errors import MisroutedAlertError, RoutingFileError
from mirror.health.rotations import Rotation, StandIn
from mirror.health.routing_file import ROUTING_FILE, load_routing, shipped_routing

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "src/mirror/health/routing.yaml").read_text())
MACHINES = SHIPPED["routes"][1]


def _load(tmp_path: Path, **sections: object):
    file = tmp_path / ROUTING_FILE
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(sections))
    return load_routing(tmp_path)


def _without(key: str) -> dict:
    return {name: value for name, value in MACHINES.items() if name != key}


def test_without_a_file_the_shipped_routing_holds(tmp_path: Path) -> None:
    assert load_routing(tmp_path) is shipped_routing()


def test_a_fleet_gets_a_route_of_its_own_before_the_one_for_all(tmp_path: Path) -> None:
    own = {**MACHINES, "name": "halls", "match": {"fleet": "/Fleet/hall"}, "owner": "Hall Keeper"}
    routing = _load(tmp_path, routes=[own, *SHIPPED["routes"]])
    assert routing.route("equipment", {"fleet": "/Fleet/hall"}).owner == "Hall Keeper"
    assert routing.route("equipment", {"fleet": "/Fleet/other"}).owner == "Operations Lead"
    assert routing.route("quality", {"fleet": "/Fleet/hall"}).owner == "ML Platform"


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([SHIPPED["routes"][0], _without("owner")], "a route needs 'owner'"),
        ([SHIPPED["routes"][0], _without("runbook")], "a route needs 'runbook'"),
        ([SHIPPED["routes"][0], _without("escalation")], "a route needs 'escalation'"),
        ([SHIPPED["routes"][0], {**MACHINES, "escalation": {"HIGH": "EQ-HIGH"}}], "escalation needs 'CRITICAL'"),
        ([SHIPPED["routes"][0], {**MACHINES, "owner": ["Ada", "Bob"]}], "one owner: of two, each waits for the other"),
        ([*SHIPPED["routes"], {**MACHINES, "name": "also", "owner": "Bob"}], "(owner Operations Lead) takes all"),
        ([SHIPPED["routes"][0], {**MACHINES, "channel": "#data-platform-alerts"}], "the two kinds never mix"),
        ([SHIPPED["routes"][0], {**MACHINES, "rotation": "Site Operatons"}], "Did you mean 'Site Operations'?"),
        ([SHIPPED["routes"][0], {**MACHINES, "match": {"site": "A"}}], "an equipment alert that matches no route"),
    ],
)
def test_a_route_that_reaches_nobody_or_two_is_refused_at_its_line(tmp_path: Path, routes: list, said: str) -> None:
    with pytest.raises(RoutingFileError) as refused:
        _load(tmp_path, routes=routes)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{ROUTING_FILE}:")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"policies": [{"id": "P", "kind": "quality", "acknowledge": "soon"}]}, "not 'soon'"),
        ({"policies": [{"id": "P", "kind": "quality", "acknowledge": "1 h", "pages": True}]}, "nobody who is next"),
        ({"rotations": [{"name": "R", "kind": "quality", "people": ["Ada"]}]}, "needs `people` and `since` together"),
        ({"flapping": {"changes": 2, "within_minutes": 9, "calm_minutes": 9}}, "begins at 3 changes"),
        ({"channels": [{"name": "#a", "kind": "both"}]}, "kind must be one of quality, equipment"),
        ({"alerts": []}, "the file has no 'alerts'"),
        ({"calendar": {"zone": "Mars", "from": "08:00", "until": "16:00", "review": "monday"}}, "IANA time zone"),
    ],
)
def test_other_mistakes_are_named(tmp_path: Path, sections: dict, said: str) -> None:
    with pytest.raises(RoutingFileError) as refused:
        _load(tmp_path, **sections)
    assert said in str(refused.value)


def test_a_severity_wakes_nobody_beyond_its_own_policy_nor_beyond_the_metrics() -> None:
    routing = shipped_routing()
    route = routing.route("quality", {})
    names = [routing.policy(route, severity, own).name for severity, own in (
        ("MEDIUM", "ESC-HIGH"), ("HIGH", "ESC-MEDIUM"), ("HIGH", ""), ("HIGH", "EQ-LOW"), ("UNHEARD", ""),
    )]  # fmt: skip
    assert names == ["ESC-MEDIUM", "ESC-MEDIUM", "ESC-HIGH", "ESC-HIGH", "ESC-CRITICAL"]


def test_a_channel_of_the_other_kind_or_an_unknown_one_is_left_for_the_routes_own() -> None:
    routing = shipped_routing()
    route = routing.route("quality", {})
    assert routing.channel("quality", "#ml-model-alerts", route) == ("#ml-model-alerts", "")
    channel, note = routing.channel("quality", "#refrigeration-ops", route)
    assert (channel, note.split(",")[0]) == ("#data-platform-alerts", "#refrigeration-ops carries equipment alerts")
    assert "is not known to routing" in routing.channel("quality", "#typo", route)[1]


def test_every_rotation_and_channel_of_the_pipelines_metrics_is_known() -> None:
    folder = Path(__file__).parents[2] / "transforms-python/src/fleet_health/monitoring"
    routing = shipped_routing()
    handles = yaml.safe_load((folder / "runbooks.yaml").read_text())["channels"]
    metrics = yaml.safe_load((folder / "metrics.yaml").read_text())["metrics"]
    assert metrics
    assert {routing.channels.get(handles[metric["channel"]]) for metric in metrics} == {"quality"}
    assert {metric["rotation"] for metric in metrics} <= {one.name for one in routing.rotations.values()}


def test_an_alert_without_runbook_or_with_two_owners_is_refused() -> None:
    row = dict.fromkeys(("reason", "rotation", "channel", "runbook_id", "runbook_step", "escalation"), "x")
    row |= {"metric_id": "VOL-01", "dataset": "raw", "severity": "LOW", "owner": "Ada", "raised_at": None}
    with pytest.raises(MisroutedAlertError, match="VOL-01 has no runbook_id, escalation"):
        open_quality("/q", [row | {"runbook_id": " ", "escalation": None}])
    with pytest.raises(MisroutedAlertError, match="VOL-01 has two owners, Ada and Bob"):
        open_quality("/q", [row, row | {"dataset": "clean", "owner": "Bob"}])


def test_turns_change_at_the_local_hour_also_when_clocks_do() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    since = datetime(2026, 3, 23, 8, tzinfo=berlin)
    stand_in = StandIn("Dan", datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))
    rotation = Rotation("R", "quality", ("Ada", "Bob", "Cy"), since, 7, berlin, (stand_in,))
    # Clocks went forward on the 29th: 8:00 is 6:00 UTC from then on.
    on_call = {
        datetime(2026, 3, 30, 5, 59, tzinfo=UTC): "Ada",
        datetime(2026, 3, 30, 6, 0, tzinfo=UTC): "Bob",
        datetime(2026, 4, 1, 12, tzinfo=UTC): "Dan",
        datetime(2026, 4, 6, 6, tzinfo=UTC): "Cy",
        datetime(2026, 4, 13, 6, tzinfo=UTC): "Ada",
        datetime(2026, 3, 23, 6, tzinfo=UTC): "Cy",
    }
    assert {at: rotation.on_call(at) for at in on_call} == on_call
    assert rotation.second(datetime(2026, 3, 30, 6, tzinfo=UTC)) == "Cy"
    assert Rotation("R", "quality").on_call(since) == "R"
    assert Rotation("R", "quality", ("Ada",), since).second(since) == "second person of R"


def test_working_hours_skip_nights_weekends_and_the_hour_that_clocks_lose() -> None:
    office = Calendar(ZoneInfo("Europe/Berlin"), time(8), time(16), 0)
    friday = datetime(2026, 3, 27, 13, tzinfo=UTC)  # 14:00 local: two hours are left
    assert deadline("8 working hours", friday, office) == datetime(2026, 3, 30, 12, tzinfo=UTC)  # 14:00 local
    assert deadline("weekly review", friday, office) == datetime(2026, 3, 30, 6, tzinfo=UTC)
    monday = datetime(2026, 3, 30, 6, tzinfo=UTC)
    assert deadline("weekly review", monday, office) == datetime(2026, 4, 6, 6, tzinfo=UTC)
    assert deadline("8 working hours", monday, office) == datetime(2026, 3, 30, 14, tzinfo=UTC)
    assert deadline("30 min", friday, office) == datetime(2026, 3, 27, 13, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="soon"):
        deadline("soon", friday, office)


def test_runbooks_have_pages_of_their_own_and_a_pattern_for_the_rest(tmp_path: Path) -> None:
    routing = _load(tmp_path, runbooks={"RB-01": "https://wiki.example.org/stale", "other": "pages/{id}.md"})
    assert [routing.page(name) for name in ("RB-01", "RB-02")] == ["https://wiki.example.org/stale", "pages/RB-02.md"]
    assert routing.page("../../etc/{id}") == "pages/..%2F..%2Fetc%2F%7Bid%7D.md"
    for pages, said in (({"RB-01": "a.md"}, "runbooks needs 'other'"), ({"other": "all.md"}, "other is for many")):
        with pytest.raises(RoutingFileError, match=said):
            _load(tmp_path, runbooks=pages)


def test_every_runbook_that_the_shipped_routing_names_is_written_down() -> None:
    root = Path(__file__).parents[2]
    assert [name for name in (one["runbook"] for one in SHIPPED["routes"]) if not _written(root, name)] == []


def _written(root: Path, name: str) -> bool:
    return (root / shipped_routing().page(name)).is_file()
