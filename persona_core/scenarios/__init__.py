"""What one scenario knows of another: knowledge in words, and a model of several scenarios that listens to it."""
