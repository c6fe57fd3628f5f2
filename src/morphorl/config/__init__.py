"""Settings as fields, what they allow, plain values, errors, files, devices, random streams: knows nothing of the rest."""
