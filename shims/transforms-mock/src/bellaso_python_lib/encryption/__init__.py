"""Encrypting parameters of Cipher."""
