"""Measurements of speed: what `cosim bench` runs."""
