"""The parts of the Workshop: what is built from what, what it was made with, how it learned, its health, and data of one's own."""
