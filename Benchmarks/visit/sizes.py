"""The size of each part: on a GPU, and in a rehearsal on a stand-in."""

import random

CELLS = ["rnn", "urnn", "gru", "ugru"]


def models(t):
    return [f"lm-{cell}-t{t}" for cell in CELLS] + [f"lm-urnn-abs-t{t}"]


def flashrnn_workloads(sizes):
    """Returns the workloads that FlashRNN can run; its elman has tanh."""
    return [f"lm-{cell}-h{sizes.flashrnn_width}-t35" for cell in ["rnn-tanh", "gru"]]


class Real:
    smoke_test, tests = "trainingAgreesWithReference", None
    smoke_training = ["--cell", "ugru", "--length", "20", "--epochs", "1", "--batches-per-epoch", "5"]
    tests_at_once = 4
    peers = models(35)
    sides = ["ours FP32", "PyTorch FP32", "ours TF32", "PyTorch TF32"]
    # Further groups of workloads, each of which is timed in a separate process.
    times = [models(150), [f"toy-{cell}-n{n}" for n in [100, 400] for cell in CELLS], ["exp-n200", "exp-n1024"]]
    seconds = 1.0
    # The paper's learning rate, which is the default of ptb_epoch.py.
    ptb = ["--epochs", "2", "--learning-rate", "1e-4"]
    ptb_torch = ["--epochs", "2"]
    recall = ["--length", "100"]
    sanitized_cells, sanitized_widths = ["urnn", "gru"], [50, 200]
    # Recall with batches as large as the language model's; at width 200 the weights are in shared memory.
    sanitized = ["--length", "8", "--batch-size", "80", "--train-size", "160", "--valid-size", "80", "--test-size", "80", "--epochs", "1"]
    profiled = ["lm-gru-t35", "lm-urnn-t35"]
    studies, scale, jobs = ["table7", "table5"], "paper", 4
    flashrnn_width = 256
    torch_device = "cuda"


class Rehearsal(Real):
    smoke_test, tests = "roundedFactorsStayNear", ["aDeviceThatDoesNotExist", "memoryThatIsNotThere", "roundedFactorsStayNear"]
    smoke_training = ["--cell", "ugru", "--length", "3", "--epochs", "1", "--batches-per-epoch", "2", "--hidden-size", "8", "--train-size", "200",
                      "--valid-size", "50", "--test-size", "50"]
    tests_at_once = 2
    peers = [f"toy-{cell}-n3" for cell in CELLS]
    # There are fewer sides because each process multiplies large matrices, which takes minutes on the host.
    sides = ["ours FP32", "PyTorch FP32"]
    times = [["toy-gru-n4", "exp-n20"]]
    seconds = 0.01
    ptb = ["--epochs", "2", "--batches-per-epoch", "2", "--hidden-size", "8", "--embedding-size", "8", "--batch-size", "4", "--bptt", "5"]
    ptb_torch = ["--epochs", "1", "--batches-per-epoch", "1", "--hidden-size", "8", "--embedding-size", "8"]
    recall = ["--length", "3", "--train-size", "200", "--valid-size", "50", "--test-size", "50", "--epochs", "2", "--hidden-size", "8"]
    sanitized_widths = [8]
    sanitized = ["--length", "3", "--batch-size", "5", "--train-size", "10", "--valid-size", "5", "--test-size", "5", "--epochs", "1"]
    profiled = ["toy-gru-n3"]
    scale, jobs = "smoke", 2
    torch_device = "cpu"

    @staticmethod
    def corpus(folder):
        """Writes a small corpus in place of the one that was carried."""
        folder.mkdir(parents=True, exist_ok=True)
        words, drawn = random.Random(1), [f"word{n}" for n in range(40)] + ["<unk>"]
        for split, lines in [("train", 400), ("valid", 20), ("test", 20)]:
            text = "".join(" ".join(words.choices(drawn, k=9)) + "\n" for _ in range(lines))
            (folder / f"ptb.{split}.txt").write_text(text)
        return str(folder)
