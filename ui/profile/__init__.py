"""The parts of the page where people edit their profile: phrases, what an edit changed, versions, a newcomer's first picks."""
