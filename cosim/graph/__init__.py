"""From a circuit document to arrays: populations, edges, keyed random streams, lesions. Knows no engine."""
