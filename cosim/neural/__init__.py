"""From the network as arrays to a running simulation: emission shared by all Brian2 backends, and the backends."""
