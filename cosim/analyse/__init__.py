"""What a run measured: gait, rhythm and rates, comparison with reference values, and the report."""
