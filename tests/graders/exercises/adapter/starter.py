def train(model, x, y):
    raise NotImplementedError
