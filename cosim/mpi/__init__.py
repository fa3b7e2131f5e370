"""Networks shared among MPI ranks: who owns which neurons, spikes between ranks, one body, one record, one failure."""
