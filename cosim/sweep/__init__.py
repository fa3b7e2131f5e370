"""Many runs of one experiment: what is varied, how they are run, and what comes of it."""
