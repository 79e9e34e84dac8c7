"""From a YAML file to a checked :class:`Profile`; every mistake is one typed error with file, line and the fix."""

from __future__ import annotations

import functools
import re
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from fleet_health.definition_errors import first_mistake, nearest
from fleet_health.profiles.errors import ProfileMissingError, ProfileSchemaError, ProfileSyntaxError
from fleet_health.profiles.model import Profile
from fleet_health.profiles.rules import check_agreement
from fleet_health.yaml_lines import load_with_lines

_UNION_MEMBER = re.compile(r"[A-Z]|(str|int|float|constrained-str|literal|tuple)\b|.*\[")


def parse_profile(text: str, file: str) -> Profile:
    """The profile written in ``text``.

    Args:
        text: the YAML.
        file: how the file is named in errors.

    Raises:
        ProfileSyntaxError: not YAML, empty, or a key written twice.
        ProfileSchemaError: a key is missing, unknown or of the wrong type, or a threshold has no reason.
        ProfileReferenceError: names or ranges do not agree with each other.
    """
    data, lines = load_with_lines(text, file, ProfileSyntaxError)
    if not isinstance(data, dict):
        raise ProfileSchemaError(file, 1, "the file is not a mapping of keys", "Start with `profile: <name>`.")
    try:
        profile = Profile.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # union members add their tag to the location; only what was written in the file has a line
        place = tuple(part for part in first["loc"] if not (isinstance(part, str) and _UNION_MEMBER.match(part)))
        key = str(place[-1]) if place else "profile"
        problem = first_mistake(error, place)
        raise ProfileSchemaError(file, lines.of(place), problem, _fix(first["type"], key, place)) from error
    check_agreement(profile, file, lines)
    return profile


def _fix(kind: str, key: str, place: tuple[str | int, ...] = ()) -> str:
    if any(str(part) in ("missing", "true_words", "false_words") for part in place[-3:]):
        return "Write each word as it stands in the file, in quotes: YAML gives a bare no, on or null another meaning."
    if key.endswith("reason"):
        return f"Say in `{key}` why this number and not another; no threshold is accepted without its reason."
    if kind == "missing":
        return f"Add the key `{key}`."
    if kind == "extra_forbidden":
        return f"Remove `{key}`, or correct its spelling; the keys are documented at the top of the shipped profiles."
    if kind == "string_type":
        return "Put it in quotes, as it stands in the file: YAML takes it for a number, a date, or true and false."
    if key == "expected_readings_per_hour" and kind == "int_from_float":
        return "Write a whole number; 1 for everything that is slower than a reading an hour."
    return "Correct the value."


def load_profile(path: str | Path) -> Profile:
    """Reads and checks one profile file; see :func:`parse_profile` for what can go wrong.

    Raises:
        ProfileMissingError: no such file, or it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        folder = Path(path).parent
        known = [p.name for p in folder.glob("*.yaml")] if folder.is_dir() else []
        fix = nearest(Path(path).name, known) if known else f"Create it; {folder} holds no profile."
        raise ProfileMissingError(str(path), None, "no such profile file", fix) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileMissingError(str(path), None, f"cannot be read ({error})", "Save it as UTF-8 text.") from error
    return parse_profile(text, str(path))


@functools.cache
def shipped_profiles() -> tuple[Profile, ...]:
    """Every profile beside this module, by name. Each gets its own transforms from the same factories."""
    folder = resources.files("fleet_health.profiles")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    return tuple(
        parse_profile(entry.read_text(encoding="utf-8"), f"fleet_health/profiles/{entry.name}") for entry in files
    )


def shipped_profile(name: str) -> Profile:
    """One of :func:`shipped_profiles`.

    Raises:
        ProfileMissingError: no profile of that name; the nearest one is named.
    """
    by_name = {profile.profile: profile for profile in shipped_profiles()}
    if name not in by_name:
        raise ProfileMissingError(f"fleet_health/profiles/{name}.yaml", None, "no such profile", nearest(name, by_name))
    return by_name[name]
