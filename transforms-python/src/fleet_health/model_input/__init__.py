"""From stored windows to complete vectors in a model's own order; training and scoring share every line of it."""
