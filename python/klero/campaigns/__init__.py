"""Which groups of contributions depend on one source or act together, how sure is that, and what would make it innocent?"""
