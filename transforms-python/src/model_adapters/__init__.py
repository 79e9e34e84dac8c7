"""How published models are called. Imported wherever a model is loaded, so nothing here knows how models are trained."""
