"""The commands below ``mirror alerts``, one a file."""
