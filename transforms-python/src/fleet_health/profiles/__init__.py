"""What a fleet is, as data: sensors, ranges, features and rules in YAML, and the loader that checks them."""

CARRIED_BY_TRANSFORMS = ("*.yaml",)
"""Every transform holds the profile it was made from, so an edit makes the jobs of that fleet stale and no others."""
