"""Decrypting parameters of Cipher."""
