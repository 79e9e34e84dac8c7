"""From clean readings to one row per device, window and window length."""
