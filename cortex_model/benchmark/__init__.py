"""How fast dense and stock projections are, beside what a user would write instead, measured in one call."""
