"""The cell's kinetics on paper: where its states end, fixed points, growth rates."""
