"""The rows a model learns from, and the statistics that describe exactly these rows."""
