"""What happened, as data: frames, the codecs between frames and a model's tokens, and the recorder of real
runs."""
