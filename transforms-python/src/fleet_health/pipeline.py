"""Everything this repository publishes: the entry point that Foundry's CI and the local platform read."""

from __future__ import annotations

import fleet_health
import model_training
from transforms.api import Pipeline

pipeline = Pipeline()
pipeline.discover_transforms(fleet_health, model_training)
