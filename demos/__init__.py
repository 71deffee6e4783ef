"""Pure computing: frozen Params to frozen Result, no widgets. Importing a module here loads no torch."""
