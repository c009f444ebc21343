"""What the page of personas is made of: the chip, search results, the map, an item's personas, and the curator's tools."""
