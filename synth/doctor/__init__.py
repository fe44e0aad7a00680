"""`tetrad doctor`: what stands between this machine and music, each with a verdict, a figure and a remedy."""
