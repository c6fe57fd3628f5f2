"""Proximal policy optimisation of agents that a dynamical system is blended into: settings, networks, training."""
