"""What the pages share: cached resources, the build as seen from a page, cards, charts, and how trouble is shown."""
