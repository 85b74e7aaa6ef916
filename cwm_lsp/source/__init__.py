"""What the code says, read and never run: documents, holes, control flow, effects, calls worth tracing."""
