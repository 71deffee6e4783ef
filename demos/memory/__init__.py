"""Memory of training: what each parameter costs besides itself."""
