"""The world model at work: what the next frame may be, what the model says it is, and the simulation built
of both."""
