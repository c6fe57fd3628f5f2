"""From the curves of finished runs to scores, intervals, comparisons and verdicts; prints and draws nothing."""
