"""Environments: ours, gymnax's and Gymnasium's, and what can be put around them."""
