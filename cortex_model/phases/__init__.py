"""What is presented, when, and which plasticity is open."""
