"""Other simulators, each in a process of its own, asked for one measurement after another."""
