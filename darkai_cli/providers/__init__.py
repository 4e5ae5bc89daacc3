"""Who answers: dialects, the providers made of them, and the registry that names them."""
