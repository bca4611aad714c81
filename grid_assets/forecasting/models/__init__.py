"""The models that forecast, behind one interface, and the choice between them."""
