"""Foundry's ``foundry`` package root."""
