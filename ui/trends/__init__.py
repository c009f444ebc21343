"""What the page of trends is made of: the cut-off, what rises and fades, the table, one item, who comes, and how good it all was."""
