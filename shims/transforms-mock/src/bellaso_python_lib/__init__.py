"""Foundry's Cipher parameters: declared and registered; keys are held by Foundry."""
