"""What every dataset promises: contracts in YAML, and the schemas and checks that are made from them for a fleet."""
