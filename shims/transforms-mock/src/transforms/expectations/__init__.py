"""Data expectations: ``from transforms import expectations as E``.

Declarations only. An expectation is a frozen tree (:mod:`transforms.expectations.tree`); whoever runs the transform
evaluates it. Importing this package and building expectations touches no Spark, disk or clock.
"""

from __future__ import annotations

from transforms._names import module_getattr
from transforms.expectations.columns import col
from transforms.expectations.groups import count, group_by
from transforms.expectations.references import dataset_ref
from transforms.expectations.structure import primary_key, schema
from transforms.expectations.tree import Expectation, false, negate, true, when
from transforms.expectations.tree import all_of as all
from transforms.expectations.tree import any_of as any

__all__ = [
    "Expectation",
    "all",
    "any",
    "col",
    "count",
    "dataset_ref",
    "false",
    "group_by",
    "negate",
    "primary_key",
    "schema",
    "true",
    "when",
]

_NOTES = {
    "column": "Use E.col('name').",
    "not_": "Use E.negate(...).",
    "is_unique": "Use E.group_by('column').is_unique() or E.primary_key('column').",
    "unique": "Use E.group_by('column').is_unique() or E.primary_key('column').",
}

__getattr__ = module_getattr(__name__, [n for n in __all__ if n != "Expectation"], _NOTES)
