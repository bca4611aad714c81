"""Learning from what the warehouse has seen: new trees, their trial, and the decision."""
