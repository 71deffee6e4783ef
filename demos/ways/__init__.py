"""One task four ways: asked plainly, with examples, with what was found, and after fine-tuning."""
