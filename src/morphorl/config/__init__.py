"""Settings as fields and as plain values, errors, files, devices, random streams: what knows nothing of the rest."""
