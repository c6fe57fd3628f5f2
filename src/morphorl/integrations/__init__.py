"""Bridges to other programs: Stable-Baselines3, ONNX, model cards, trackers."""
