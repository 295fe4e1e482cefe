"""A model of an organization's whole life: the rules of the collection in a simulated world."""
