"""How models are trained and published; kept apart from the adapters, which must load without this code."""
