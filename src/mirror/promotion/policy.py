"""``ci/branches.yml``: which branch flows into which, behind which gates, and who may say yes.

The policy that judges a promotion is the *target's*, so a branch cannot loosen its own gates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mirror.errors import nearest
from mirror.located import Located, parse
from mirror.promotion.commands import PLACEHOLDERS, unknown_placeholders
from mirror.promotion.errors import PolicyError
from mirror.promotion.gates import LIMIT_SECONDS, GateSettings, SettingValue, gate, known_gates, optional_settings

POLICY_FILE = "ci/branches.yml"


@dataclass(frozen=True)
class Rebuild:
    """The command that publishes JobSpecs and rebuilds on the target after the merge."""

    command: tuple[str, ...]
    limit_seconds: float
    reason: str


@dataclass(frozen=True)
class Emergency:
    """A way round the usual order: allowed at once, answered for within some days."""

    review_within_days: float
    roles: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Step:
    """One allowed way between branches. ``source`` is a pattern, ``target`` a branch.

    ``up_to_date`` demands that the merged tree is the source's own tree, which somebody may have run; without it the
    gates judge the merged tree and nobody has to merge the target back first. ``fallbacks`` are data branches that the
    target's build reads where it has none of its own; ``release_models`` lets the models in force where the source
    scores come along; an ``emergency`` step is taken only when somebody says why.
    """

    source: str
    target: str
    gates: tuple[GateSettings, ...]
    up_to_date: bool = True
    tag: str | None = None
    rebuild: Rebuild | None = None
    fallbacks: tuple[str, ...] = ()
    release_models: bool = False
    emergency: Emergency | None = None

    @property
    def ways_to_override(self) -> Mapping[str, tuple[str, ...]]:
        """Gate -> roles whose members may let its no pass."""
        return {gate.gate: gate.override for gate in self.gates if gate.override}

    def next_tag(self, existing: Mapping[str, str]) -> str | None:
        """The first free name after the highest number in use, or ``None`` when the step does not tag."""
        if self.tag is None:
            return None
        numbers = [int(found[1]) for name in existing if (found := re.fullmatch(self.tag_pattern, name))]
        return self.tag.replace("{n}", str(max(numbers, default=0) + 1))

    @property
    def tag_pattern(self) -> str:
        return re.escape(self.tag or "").replace(re.escape("{n}"), "([1-9][0-9]*)")


@dataclass(frozen=True)
class Policy:
    """The whole file.

    ``people``: name -> e-mail; ``roles``: role -> names. Contracts are the files ``contracts`` (globs) and what
    the outputs of the transforms repository in the folder ``transforms`` declare.
    """

    file: str
    steps: tuple[Step, ...]
    protected: tuple[str, ...]
    people: Mapping[str, str]
    roles: Mapping[str, tuple[str, ...]]
    contracts: tuple[str, ...]
    transforms: str | None
    python_path: tuple[str, ...]
    remote: str | None

    def step(self, source: str, target: str) -> Step | None:
        return next((s for s in self.steps if fnmatchcase(source, s.source) and s.target == target), None)

    def roles_of(self, person: str) -> tuple[str, ...]:
        return tuple(role for role, members in self.roles.items() if person in members)


def load_policy(text: str, file: str = POLICY_FILE) -> Policy:
    """Reads and checks a policy.

    Raises:
        PolicyError: with the file, the line and the fix, for the first mistake found.
    """
    root = parse(text, file, PolicyError)
    top = root.mapping(
        "the policy",
        ("remote", "protected", "people", "roles", "contracts", "transforms", "python_path", "steps"),
        required=("protected", "people", "roles", "steps"),
    )
    people = {name: _email(entry, name) for name, entry in top["people"].mapping("people").items()}
    roles = {name: _members(entry, name, people) for name, entry in top["roles"].mapping("roles").items()}
    protected = top["protected"].texts("protected")
    steps: list[Step] = []
    for item in top["steps"].items("steps"):
        step = _step(item, roles, protected)
        if any((step.source, step.target) == (other.source, other.target) for other in steps):
            item.wrong(f"the step {step.source} -> {step.target} is given twice; keep one.")
        steps.append(step)
    return Policy(
        file=file,
        steps=tuple(steps),
        protected=protected,
        people=people,
        roles=roles,
        contracts=top["contracts"].texts("contracts") if "contracts" in top else (),
        python_path=top["python_path"].texts("python_path") if "python_path" in top else (),
        transforms=_optional_text(top, "transforms"),
        remote=_optional_text(top, "remote"),
    )


def _optional_text(entries: Mapping[str, Located], name: str) -> str | None:
    entry = entries.get(name)
    return None if entry is None or entry.value is None else entry.text(name)


def _email(entry: Located, name: str) -> str:
    email = entry.text(f"the e-mail of {name!r}")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        entry.wrong(f"{email!r} is no e-mail address; authors are recognised by the address git records.")
    return email


def _members(entry: Located, role: str, people: Mapping[str, str]) -> tuple[str, ...]:
    members = []
    for item in entry.items(f"role {role!r}"):
        name = item.text(f"a member of {role!r}")
        if name not in people:
            item.wrong(f"role {role!r} names {name!r}, who is not under people.{nearest(name, people)}")
        members.append(name)
    if not members:
        entry.wrong(f"role {role!r} is empty, so nothing that needs it could ever be promoted; name somebody.")
    return tuple(members)


def _step(item: Located, roles: Mapping[str, tuple[str, ...]], protected: tuple[str, ...]) -> Step:
    entries = item.mapping(
        "a step",
        ("from", "to", "base", "tag", "rebuild", "fallbacks", "release_models", "emergency", "gates"),
        required=("from", "to", "gates"),
    )
    source, target = entries["from"].text("from"), entries["to"].text("to")
    what = f"step {source} -> {target}"
    if target not in protected:
        entries["to"].wrong(f"{target!r} is not under protected, so anybody could go round its gates; add it there.")
    base = _optional_text(entries, "base") or "up_to_date"
    if base not in ("up_to_date", "merged"):
        entries["base"].wrong(f"base must be up_to_date or merged, not {base!r}.")
    tag = _optional_text(entries, "tag")
    if tag is not None and tag.count("{n}") != 1:
        entries["tag"].wrong(f"tag {tag!r} needs {{n}} once, where the running number goes.")
    models = entries["release_models"].value if "release_models" in entries else False
    if not isinstance(models, bool):
        entries["release_models"].wrong(f"release_models must be true or false, not {models!r}.")
    return Step(
        fallbacks=entries["fallbacks"].texts("fallbacks") if "fallbacks" in entries else (),
        release_models=models,
        emergency=_emergency(entries["emergency"], roles, what) if "emergency" in entries else None,
        source=source,
        target=target,
        up_to_date=base == "up_to_date",
        tag=tag,
        rebuild=_rebuild(entries["rebuild"], what) if "rebuild" in entries else None,
        gates=_gates(entries["gates"], roles, what),
    )


def _gates(entry: Located, roles: Mapping[str, tuple[str, ...]], what: str) -> tuple[GateSettings, ...]:
    gates = []
    for name, body in entry.mapping(f"gates of {what}", known_gates()).items():
        required, optional = gate(name).SETTINGS, optional_settings(name)
        kinds = {"override": "roles", "limit_seconds": "number", **optional, **required}
        where = f"gate {name} of {what}"
        fields = body.mapping(where, ("reason", *kinds), ("reason", *required))
        values = {
            key: _setting(fields[key], kind, f"{key} of {where}", roles) for key, kind in kinds.items() if key in fields
        }
        limit = values.get("limit_seconds", LIMIT_SECONDS)
        override = values.pop("override", ())
        if not isinstance(limit, float) or not isinstance(override, tuple):
            raise TypeError(f"{where}: {values!r}")
        gates.append(GateSettings(name, fields["reason"].text(f"reason of {where}"), values, override, limit))
    if not gates:
        entry.wrong(f"{what} has no gate; a step that lets everything through protects nothing.")
    return tuple(gates)


KINDS = ("command", "number", "texts", "lists", "roles", "role_lists")
"""What a setting of a gate can be."""


def _setting(entry: Located, kind: str, what: str, roles: Mapping[str, tuple[str, ...]]) -> SettingValue:
    if kind == "number":
        return entry.positive(what)
    if kind == "command":
        return _command(entry, what)
    if kind == "roles":
        return _roles(entry, roles, what)
    if kind == "lists":
        return {name: item.texts(f"{name} in {what}") for name, item in entry.mapping(what).items()}
    if kind == "role_lists":
        return {name: _roles(item, roles, f"{name} in {what}") for name, item in entry.mapping(what).items()}
    return entry.texts(what)


def _roles(entry: Located, roles: Mapping[str, tuple[str, ...]], what: str) -> tuple[str, ...]:
    for item in entry.items(what):
        role = item.text("a role")
        if role not in roles:
            item.wrong(f"{what} asks for role {role!r}, which is not under roles.{nearest(role, roles)}")
    return entry.texts(what)


def _emergency(entry: Located, roles: Mapping[str, tuple[str, ...]], what: str) -> Emergency:
    names = ("review_within_days", "roles", "reason")
    fields = entry.mapping(f"emergency of {what}", names, names)
    return Emergency(
        fields["review_within_days"].positive("review_within_days"),
        _roles(fields["roles"], roles, f"roles of the emergency of {what}"),
        fields["reason"].text("reason"),
    )


def _command(entry: Located, what: str) -> tuple[str, ...]:
    arguments = []
    for item in entry.items(what):
        argument = item.text(f"an argument of {what}")
        for name in unknown_placeholders(argument):
            known = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
            item.wrong(f"{what} uses the unknown placeholder {{{name}}}.{nearest(name, PLACEHOLDERS)} Known: {known}.")
        arguments.append(argument)
    if not arguments:
        entry.wrong(f"{what} is empty; give the program and its arguments as a list.")
    return tuple(arguments)


def _rebuild(entry: Located, what: str) -> Rebuild:
    names = ("command", "limit_seconds", "reason")
    fields = entry.mapping(f"rebuild of {what}", names, names)
    return Rebuild(
        _command(fields["command"], f"command of rebuild of {what}"),
        fields["limit_seconds"].positive("limit_seconds"),
        fields["reason"].text("reason"),
    )
