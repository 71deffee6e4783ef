"""What every package may use: numbers and plurals in Russian, the palette. Imports nothing of ours."""
