"""Stopping what scores, and letting it score again: a person does, or a limit that a candidate on trial broke.

A halt is the one decision that needs no approval beforehand: whoever is called at night stops the model and is asked
afterwards. The rules of the fleet stand in for a champion; a candidate leaves its devices to the champion.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mirror.models.criteria.base import Candidate
from mirror.models.decisions import on_trial, write_decisions
from mirror.models.records import HALT, PRODUCTION, ModelVersion, Outcome
from mirror.models.releasing import Request, admit_approvals, put_in_force, refuse, refuse_changed
from mirror.models.trying import decide_trial

if TYPE_CHECKING:
    from mirror.models.governance import Done, Governance, Governed

BUILD = "mirror build"
"""Who halts when a limit does."""


def halt(governance: Governance, request: Request) -> Done:
    """See :meth:`mirror.models.governance.Governance.halt`."""
    from mirror.models.governance import Done

    version, kind = _in_production(governance, request)
    if kind == HALT:
        write_decisions(governance, request.governed)
        return Done(False, f"{request.path} {version.semantic} is halted already", version)
    number = put_in_force(governance, request, governance.submitted(request.governed, version.rid)[0], version)
    write_decisions(governance, request.governed)
    return Done(True, f"{request.path} {version.semantic} is halted in production (release {number})", version)


def resume(governance: Governance, request: Request) -> Done:
    """See :meth:`mirror.models.governance.Governance.resume`."""
    from mirror.models.governance import Done

    version, kind = _in_production(governance, request)
    if kind != HALT:
        write_decisions(governance, request.governed)
        return Done(False, f"{request.path} {version.semantic} is not halted", version)
    admit_approvals(governance, request, version)
    refuse_changed(governance, request, version)
    number = put_in_force(governance, request, governance.submitted(request.governed, version.rid)[0], version)
    write_decisions(governance, request.governed)
    return Done(True, f"{request.path} {version.semantic} scores again in production (release {number})", version)


def halt_trial(governance: Governance, request: Request) -> Done:
    """See :meth:`mirror.models.governance.Governance.halt_trial`."""
    from mirror.models.governance import Done

    tried = on_trial(governance, request.governed.model)
    if tried is None:
        newest = governance.registry.versions(request.governed.model)[-1]
        refuse(governance, request, newest, "no candidate is on trial", "Without --trial, what is in force is halted.")
    version = governance.registry.by_rid(tried.version_rid)[1]
    number = decide_trial(governance, request, version.rid, tried.role, 0.0)
    sentence = f"{request.path} {version.semantic} is not tried any more as {tried.role} (trial {number})"
    return Done(True, sentence, version)


def halt_broken_trials(governance: Governance, made: Collection[str]) -> tuple[Done, ...]:
    """See :meth:`mirror.models.governance.Governance.halt_broken_trials`."""
    found = []
    for model in governance.registry.models():
        fleet = model.path.rsplit("/models/", 1)[0] + "/"
        if governance.objectives.for_model(model.path) is None or not any(path.startswith(fleet) for path in made):
            continue
        governed = governance.governed(model.path)
        broken = _broken(governance, governed)
        if broken:
            found.append(halt_trial(governance, Request(governed, PRODUCTION, BUILD, (), "; ".join(broken), HALT)))
        elif (known := governance.trials(model)) and known[-1].actor == BUILD:
            # its row, in case that the build before could not write it
            write_decisions(governance, governed)
    return tuple(found)


def _broken(governance: Governance, governed: Governed) -> list[str]:
    """What a candidate on trial broke, of the checks that halt; nothing where none is on trial."""
    from mirror.models.governance import judged

    rules = [rule for rule in governed.objective.checks if rule.halts]
    tried = on_trial(governance, governed.model) if rules else None
    champion = governance.in_force(governed.model, PRODUCTION)
    if tried is None or champion is None:
        return []
    mine, theirs = (governance.registry.by_rid(rid)[1] for rid in (tried.version_rid, champion.version_rid))
    candidate = Candidate(governance.registry, governed.model, mine, theirs, tried)
    findings = [(rule, judged(rule, candidate)) for rule in rules]
    return [f"{rule.name}: {one.detail}" for rule, one in findings if one.outcome is Outcome.REJECT]


def _in_production(governance: Governance, request: Request) -> tuple[ModelVersion, str]:
    """The version in force and what put it there. Raises ReleaseRefusedError when nothing is."""
    current = governance.in_force(request.governed.model, PRODUCTION)
    if current is None:
        newest = governance.registry.versions(request.governed.model)[-1]
        refuse(governance, request, newest, "nothing is released there", "Nothing scores, so there is nothing to stop.")
    return governance.registry.by_rid(current.version_rid)[1], current.kind
