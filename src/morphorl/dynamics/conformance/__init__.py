"""Does a class keep the contract of `Dynamics` or `Guidance`? Each failure is a sentence with what to change.

What Gymnasium's environment checker is for environments, this is for dynamical systems and rules of guidance.
"""
