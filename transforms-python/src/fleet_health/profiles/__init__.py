"""What a fleet is, as data: sensors, ranges, features and rules in YAML, and the loader that checks them."""
