"""What a declaration means, carried out plainly: the reference that every device must equal."""
