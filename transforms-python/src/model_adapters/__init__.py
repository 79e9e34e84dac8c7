"""How published models are called. Nothing here knows how they are trained."""
