"""A build's fallbacks against the ancestry of the branches it reads and writes: it fails rather than guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirror.builds.errors import FallbackMismatchError
from mirror.builds.specs import JobSpec
from mirror.datasets import DatasetStore
from mirror.datasets.ancestry import mismatch


def refuse_other_ancestry(store: DatasetStore, specs: Iterable[JobSpec], branch: str, fallbacks: Sequence[str]) -> None:
    """Raises FallbackMismatchError for the first dataset of the jobs whose branch comes from somewhere else."""
    if not fallbacks:
        return
    involved = {path for spec in specs for _, path in (*spec.dataset_inputs(), *spec.dataset_outputs())}
    datasets = [d for d in store.datasets() if d.path in involved]
    parents = store.parents(datasets)
    for dataset in datasets:
        if (why := mismatch(branch, parents[dataset.rid], fallbacks)) is not None:
            raise FallbackMismatchError(dataset.path, branch, why)
