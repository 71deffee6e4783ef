"""Money: what training and answering cost, by the learner's own prices."""
