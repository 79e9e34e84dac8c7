"""Run transforms in a unit test on frames held in memory: ``TransformRunner`` over an ``InMemoryDatastore``."""
