"""The table of public programs: where each is, how it is called, and how closely its output must agree."""

import dataclasses
import glob
import os


@dataclasses.dataclass(frozen=True)
class Program:
    """A program of a checkout.

    path: the script, notebook (.ipynb) or chapter (.md) in the folder of checkouts. options: for seeded.py.
    agree: "all" numbers that are printed, or the "last" ones, where the program draws numbers that are not PyTorch's
    (dropout) or its processes race; why says so. tolerance: of numbers, relative.
    """

    path: str
    arguments: tuple = ()
    options: tuple = ()
    tolerance: float = 1e-3
    agree: str = "all"
    why: str = ""
    pictures: int = 600
    limit: int = 300

    @property
    def name(self):
        """A short name for reports."""
        return self.path.replace("/main.py", "").replace("implementations/", "").replace("tutorials/", "")


_DROPOUT = {"agree": "last", "why": "dropout draws other numbers"}
# The Annotated Transformer's copy task with a small model: 80 steps, after which rounding has grown to 1e-2.
_COPY_TASK = """
torch.manual_seed(0)
model = make_model(11, 11, N=2, d_model=64, d_ff=128, h=4)
for module in model.modules():
    if isinstance(module, nn.Dropout):  # its numbers are not PyTorch's
        module.p = 0.0
loss = SimpleLossCompute(model.generator, LabelSmoothing(size=11, padding_idx=0, smoothing=0.0))
optimizer = torch.optim.Adam(model.parameters(), lr=0.5, betas=(0.9, 0.98), eps=1e-9)
scheduler = LambdaLR(optimizer, lambda step: rate(step, model_size=64, factor=1.0, warmup=100))
for epoch in range(4):
    print(run_epoch(data_gen(11, 40, 20), model.train(), loss, optimizer, scheduler, mode="train")[0].item())
print(sum(p.detach().double().square().sum() for p in model.parameters()).item())
"""


def programs(root):
    """Every program of the table; some are listed by what is in the folder of checkouts."""

    def all_of(pattern, **options):
        found = sorted(glob.glob(pattern, root_dir=root, recursive=True))
        return [Program(path, **options) for path in found if "/archive/" not in path and "/tf_" not in path]

    gan = {"arguments": ("--n_epochs", "1", "--batch_size", "32"), "pictures": 160, "tolerance": 0.01}
    table = [
        *all_of("pytorch-examples/*/*.py", tolerance=0.02),  # 500 steps amplify the rounding of float32
        *all_of("nlp-tutorial/*/*.py", tolerance=0.02),  # costs of 1e-4, printed with six digits after the point
        Program("examples/regression/main.py", agree="last", tolerance=0.1, why="rounding decides when it stops"),
        Program("examples/mnist_rnn/main.py", ("--epochs", "8", "--lr", "1"), tolerance=0.1, **_DROPOUT),
        Program("examples/mnist_forward_forward/main.py", ("--epochs", "20", "--train_size", "400")),
        Program(
            "examples/mnist_hogwild/main.py", ("--epochs", "10", "--lr", "0.05"),
            agree="last", tolerance=0.1, why="its processes race, dropout draws other numbers",
        ),
        Program("pytorch-tutorial/tutorials/01-basics/linear_regression/main.py"),
        Program("pytorch-tutorial/tutorials/01-basics/logistic_regression/main.py"),
        Program("pytorch-tutorial/tutorials/01-basics/feedforward_neural_network/main.py"),
        Program("pytorch-tutorial/tutorials/02-intermediate/convolutional_neural_network/main.py"),
        Program("pytorch-tutorial/tutorials/02-intermediate/recurrent_neural_network/main.py"),
        Program("pytorch-tutorial/tutorials/02-intermediate/bidirectional_recurrent_neural_network/main.py"),
        Program("pytorch-tutorial/tutorials/02-intermediate/deep_residual_network/main.py", pictures=40),
        Program("pytorch-tutorial/tutorials/03-advanced/generative_adversarial_network/main.py", pictures=100),
        Program("pytorch-tutorial/tutorials/03-advanced/variational_autoencoder/main.py"),
        Program(
            "annotated-transformer/the_annotated_transformer.py",
            options=(
                "--name", "program", "--call", f"run_tests()\n{_COPY_TASK}",
                "--absent", "altair,spacy,GPUtil,torchtext,torchtext.data,torchtext.data.functional,"
                "torchtext.vocab,torchtext.datasets",
            ),
            tolerance=0.02,
        ),
        Program("nn-zero-to-hero/lectures/makemore/makemore_part4_backprop.ipynb"),
        *(Program(f"PyTorch-GAN/implementations/{name}/{name}.py", **gan)
          for name in ("gan", "wgan", "wgan_gp", "lsgan", "dcgan")),
        Program(
            "Pytorch-UNet/hubconf.py",
            options=("--call", "net = _UNet(3, 2); x = torch.randn(1, 3, 96, 96); "
                     "y = net(x); y.square().mean().backward(); print(y.mean().item(), y.std().item(), "
                     "net.inc.double_conv[0].weight.grad.norm().item())"),
        ),
    ]  # fmt: skip
    chapters = (
        "chapter_preliminaries/ndarray", "chapter_preliminaries/linear-algebra", "chapter_preliminaries/autograd",
        "chapter_preliminaries/probability", "chapter_linear-regression/synthetic-regression-data",
        "chapter_linear-regression/linear-regression-scratch", "chapter_linear-regression/linear-regression-concise",
        "chapter_multilayer-perceptrons/mlp", "chapter_multilayer-perceptrons/numerical-stability-and-init",
        "chapter_builders-guide/model-construction", "chapter_builders-guide/parameters",
        "chapter_convolutional-neural-networks/conv-layer", "chapter_convolutional-neural-networks/channels",
    )  # fmt: skip
    table += [Program(f"d2l-en/{chapter}.md") for chapter in chapters]
    return [program for program in table if os.path.exists(os.path.join(root, program.path))]
