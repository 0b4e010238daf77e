"""Tables for several sessions, mixed by chosen features, at which people meet as many others as possible."""
