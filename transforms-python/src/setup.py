"""The package of this repository, in the form that Foundry's build expects."""

import os

from setuptools import find_packages, setup

setup(
    name=os.environ.get("PKG_NAME", "fleet-health"),
    version=os.environ.get("PKG_VERSION", "0.1.0"),
    description="Fleet telemetry in, alerts out: ingestion, features, anomaly scores, alerts and monitoring",
    author="foundry-mirror contributors",
    packages=find_packages(exclude=["contrib", "docs", "test"]),
    # The environment comes from conda_recipe/meta.yaml.
    install_requires=[],
    package_data={"": ["*.yaml", "*.csv"]},
    entry_points={"transforms.pipelines": ["root = fleet_health.pipeline:pipeline"]},
)
