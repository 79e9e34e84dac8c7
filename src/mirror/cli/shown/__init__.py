"""How larger results are put on a terminal; the commands decide what is shown."""
