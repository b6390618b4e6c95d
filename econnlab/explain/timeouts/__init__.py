"""How long servers, balancers and clients keep idle connections, and whether a chain of them is safe."""
