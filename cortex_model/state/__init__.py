"""What a network is made of besides its weights: noise, and what the host does."""
