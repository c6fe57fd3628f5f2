"""Runs of other programs: their logs are read, named, tidied by stated rules, and become our curves and scores."""
