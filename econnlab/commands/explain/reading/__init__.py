"""What a pasted text is: its entries, its forms, the state that stands inside it. Pure."""
