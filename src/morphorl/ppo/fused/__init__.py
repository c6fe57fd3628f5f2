"""PPO's learning phase as one function of machine code, made by Numba: the faster of two ways to compute the same."""
