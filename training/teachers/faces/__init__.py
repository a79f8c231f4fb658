"""What other models know of faces, as tables to learn from, and an ANet that learns from them."""
