"""What an adapter declares about itself: its inputs, its outputs, and their types."""
