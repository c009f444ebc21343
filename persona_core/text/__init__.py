"""Everything about texts: the base encoder's weights; sentences, embeddings and quotes as they come."""
