"""Dynamical systems, the rules that guide them, the controls in their place, and how a readout is blended."""
