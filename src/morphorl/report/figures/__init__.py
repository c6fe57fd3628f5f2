"""Figures for papers and folders of results, drawn with Matplotlib."""
