"""The shape of every dataset and the checks that ride on it, derived from the profile."""
