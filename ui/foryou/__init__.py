"""The parts of the page that ranks: its controls, its cards, questions about the order, two people side by side, and exports."""
