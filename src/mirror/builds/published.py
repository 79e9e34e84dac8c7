"""JobSpecs as branches have published them, with fallbacks: what Foundry builds when a branch has none of its own.

Source: Foundry documentation, data-integration/branching (a build takes the JobSpec of the build branch, else of the
first fallback branch that has one, and writes to the build branch).
"""

from __future__ import annotations

from collections.abc import Sequence

from mirror.builds.discovery import RepositoryPipeline, current, publish, published_specs
from mirror.builds.errors import NothingPublishedError
from mirror.builds.specs import JobSpec
from mirror.datasets import Workspace


def pipeline_of(
    workspace: Workspace, branch: str, fallbacks: Sequence[str], *, published: bool = False, skip_broken: bool = False
) -> RepositoryPipeline:
    """What a build builds: with ``published`` what branches hold, else the repository at hand, published first.

    Raises what :func:`as_published` and :func:`mirror.builds.discovery.publish` raise.
    """
    if published:
        return as_published(workspace, branch, fallbacks)
    return publish(workspace, branch, skip_broken=skip_broken)


def as_published(workspace: Workspace, branch: str, fallbacks: Sequence[str]) -> RepositoryPipeline:
    """For every output the JobSpec of the first of ``branch`` and ``fallbacks`` that has one; publishes nothing.

    A spec that the repository at hand would publish otherwise today cannot be run from it: ``elsewhere`` says why.

    Raises NothingPublishedError, and what :func:`mirror.builds.discovery.current` raises.
    """
    specs: list[JobSpec] = []
    owners: dict[str, str] = {}
    made: set[str] = set()
    for owner in (branch, *fallbacks):
        for spec in published_specs(workspace, owner):
            if made.isdisjoint(spec.output_paths) and spec.reference not in owners:
                specs.append(spec)
                owners[spec.reference] = owner
                made.update(spec.output_paths)
    if not specs:
        raise NothingPublishedError(branch, tuple(fallbacks))
    here = current(workspace, owners[specs[0].reference])
    now = {spec.reference: spec.logic_version for spec in here.specs}
    elsewhere = {
        spec.reference: (
            f"its JobSpec was published on {owners[spec.reference]} from other code than the repository's"
            " (build from a checkout of that code: mirror --repository DIR build --published)"
        )
        for spec in specs
        if now.get(spec.reference) != spec.logic_version
    }
    return RepositoryPipeline(
        workspace, tuple(specs), here.source_root, here.fingerprint, published=True, owners=owners, elsewhere=elsewhere
    )
