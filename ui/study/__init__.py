"""The participant's path: consent, profile, tasks, questions, the end; and nothing else of the app."""
