"""What quantizing one layer of the bundled model does to its loss, measured and estimated."""
