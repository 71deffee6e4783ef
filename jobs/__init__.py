"""Work that outlives a page: the queue, the worker, the warm compute process."""
