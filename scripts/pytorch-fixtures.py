#!/usr/bin/python3
"""Fixtures that the tests compare Kinglet with: values and gradients of operations, two-layer models, ten optimizer steps.

Runs on Debian's python3-torch (1.13); what that version lacks (RMSNorm, RoPE, grouped queries, Muon) is written here from the
papers' formulas. Everything is computed in f64 from inputs rounded to f32, so that the fixtures are exact to f32 and the same
on every machine. Usage: /usr/bin/python3 scripts/pytorch-fixtures.py   (writes test/fixtures/*.json)
"""
import base64
import json
import math
import os

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20240607)
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "fixtures")


def round32(x):
    return x.to(torch.float32).to(torch.float64)


def normal(*shape, scale=1.0):
    return round32(torch.randn(shape, generator=generator) * scale)


def uniform(*shape, low=0.0, high=1.0):
    return round32(torch.rand(shape, generator=generator) * (high - low) + low)


def integers(*shape, high):
    return torch.randint(0, high, shape, generator=generator)


# Formulas that PyTorch 1.13 has no function for


def rms_norm(x, weight=None, eps=1e-5):
    """Zhang & Sennrich 2019, arXiv:1910.07467."""
    y = x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps)
    return y if weight is None else y * weight


def rope_tables(length, dim, theta):
    """Su et al. 2021, arXiv:2104.09864: angles position * theta^(-2i/dim)."""
    frequencies = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), frequencies)
    return round32(torch.cos(angles)), round32(torch.sin(angles))


def rope(x, cos, sin, position, inverse=False):
    """x [B, T, H, D]; the pair (x[i], x[i + D/2]) turns by the angle of row position + t."""
    T, half = x.shape[1], x.shape[3] // 2
    rows = position[:, None] + torch.arange(T)[None, :]
    c, s = cos[rows][:, :, None, :], sin[rows][:, :, None, :] * (-1 if inverse else 1)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * c - second * s, second * c + first * s], -1)


def attention(q, k, v, position, causal=True, scale=None):
    """softmax(scale q k^T) v; query t sees keys 0 .. position + t. q [B, T, H, D], k and v [B, S, K, D]."""
    T, H, D = q.shape[1:]
    S, K = k.shape[1:3]
    scale = 1 / math.sqrt(D) if scale is None else scale
    k, v = k.repeat_interleave(H // K, 2), v.repeat_interleave(H // K, 2)
    scores = torch.einsum("bthd,bshd->bhts", q, k) * scale
    if causal:
        visible = torch.arange(S)[None, None, :] <= position[:, None, None] + torch.arange(T)[None, :, None]
        scores = scores.masked_fill(~visible[:, None], -math.inf)
    return torch.einsum("bhts,bshd->bthd", torch.softmax(scores, -1), v)


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# Operations


def listed(x):
    return [float(f"{value:.9g}") for value in x.reshape(-1).tolist()]


def array(x):
    integer = not x.is_floating_point()
    return {"shape": list(x.shape), "dtype": "i32" if integer else "f32", "values": [int(v) for v in x.reshape(-1)] if integer else listed(x)}


OPERATIONS = []


def operation(op, function, *inputs, **attributes):
    """One case: the output, and the gradients of sum(output * weights)."""
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    output = function(*leaves)
    case = {"op": op, "attributes": attributes, "inputs": [array(x) for x in inputs], "output": array(output.detach())}
    if output.requires_grad:
        weights = normal(*output.shape)
        (output * weights).sum().backward()
        case["weights"] = listed(weights)
        case["gradients"] = [None if x.grad is None else listed(x.grad) for x in leaves]
    OPERATIONS.append(case)


def elementwise_operations():
    operation("toFloat", lambda x: x.double(), integers(2, 3, high=100))
    operation("negate", torch.neg, normal(3, 5))
    operation("exp", torch.exp, normal(3, 5, scale=2))
    operation("log", torch.log, uniform(3, 5, low=0.1, high=4))
    operation("sqrt", torch.sqrt, uniform(3, 5, low=0.1, high=4))
    operation("tanh", torch.tanh, normal(3, 5, scale=2))
    operation("sigmoid", torch.sigmoid, normal(3, 5, scale=3))
    operation("erf", torch.erf, normal(3, 5, scale=1.5))
    operation("absolute", torch.abs, normal(3, 5))
    for op, function in (("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul), ("divide", torch.div),
                         ("maximum", torch.maximum), ("minimum", torch.minimum)):
        operation(op, function, normal(2, 3, 5), normal(2, 3, 5))
        operation(op, function, normal(2, 3, 5), normal(3, 1))
        operation(op, function, normal(5), normal(2, 1, 5))
    operation("greater", lambda a, b: (a > b).double().detach(), normal(3, 5), normal(5))
    operation("select", lambda c, a, b: torch.where(c != 0, a, b), (normal(3, 5) > 0).double(), normal(3, 5), normal(5))
    OPERATIONS[-1]["gradients"][0] = None


def form_operations():
    operation("reshape", lambda x: x.reshape(5, 6), normal(2, 3, 5), shape=[5, 6])
    operation("transpose", lambda x: x.permute(2, 0, 1), normal(2, 3, 5), permutation=[2, 0, 1])
    operation("transpose", lambda x: x.permute(0, 2, 1, 3), normal(2, 3, 2, 3), permutation=[0, 2, 1, 3])
    operation("broadcast", lambda x: x.expand(2, 3, 5), normal(3, 1), shape=[2, 3, 5])
    operation("slice", lambda x: x[:, 1:3], normal(3, 5, 2), axis=1, start=1, end=3)
    operation("pad", lambda x: F.pad(x, (0, 0, 2, 1)), normal(2, 3, 2), axis=1, before=2, after=1)
    operation("concatenate", lambda *x: torch.cat(x, 1), normal(2, 3, 2), normal(2, 1, 2), normal(2, 2, 2), axis=1)
    operation("sum", lambda x: x.sum((1, 2)), normal(2, 3, 5), firstAxis=1, lastAxis=2)
    operation("sum", lambda x: x.sum(1), normal(2, 3, 5), firstAxis=1, lastAxis=1)
    operation("max", lambda x: x.amax((0, 1)), normal(2, 3, 5), firstAxis=0, lastAxis=1)
    operation("max", lambda x: x.amax(2), normal(2, 3, 5), firstAxis=2, lastAxis=2)


def product_operations():
    for swap_a in (False, True):
        for swap_b in (False, True):
            flags = {"transposeA": swap_a, "transposeB": swap_b}
            function = lambda a, b, p=swap_a, q=swap_b: (a.transpose(-1, -2) if p else a) @ (b.transpose(-1, -2) if q else b)
            a, b = ((5, 3) if swap_a else (3, 5)), ((2, 5) if swap_b else (5, 2))
            operation("matmul", function, normal(*a), normal(*b), **flags)
            operation("matmul", function, normal(2, *a), normal(*b), **flags)
            operation("matmul", function, normal(2, *a), normal(2, *b), **flags)
    operation("gather", lambda table, ids: table[ids], normal(7, 3), integers(2, 5, high=7))
    operation("scatterAdd", lambda ids, x: torch.zeros(7, 3).index_add(0, ids.reshape(-1), x.reshape(-1, 3)),
              integers(2, 5, high=7), normal(2, 5, 3), rows=7)
    cos, sin = rope_tables(11, 6, 100.0)
    for inverse in (False, True):
        operation("rope", lambda x, p, i=inverse: rope(x, cos, sin, p, i), normal(2, 5, 3, 6), torch.tensor([0, 4]), inverse=inverse,
                  length=11, theta=100)
    for causal, T, S, H, K, position in ((True, 5, 5, 3, 3, [0, 0]), (True, 5, 5, 4, 2, [0, 0]), (True, 3, 7, 4, 1, [4, 2]),
                                         (False, 5, 3, 2, 2, [0, 0])):
        operation("attention", lambda q, k, v, p, c=causal: attention(q, k, v, p, c, 0.4), normal(2, T, H, 6), normal(2, S, K, 6),
                  normal(2, S, K, 6), torch.tensor(position), causal=causal, scale=0.4)
    targets = torch.tensor([3, 0, -1, 6, 6])
    operation("crossEntropy", lambda x, t: F.cross_entropy(x, t, reduction="none", ignore_index=-1), normal(5, 7, scale=3), targets)


def layer_functions():
    operation("gelu", F.gelu, normal(3, 5, scale=2))
    operation("geluTanh", gelu_tanh, normal(3, 5, scale=2))
    operation("silu", F.silu, normal(3, 5, scale=2))
    operation("reluSquared", lambda x: F.relu(x) ** 2, normal(3, 5))
    operation("swiglu", lambda gate, up: F.silu(gate) * up, normal(3, 5), normal(3, 5))
    operation("softcap", lambda x: 3 * torch.tanh(x / 3), normal(3, 5, scale=4), cap=3)
    operation("softmax", lambda x: torch.softmax(x, -1), normal(3, 7, scale=3))
    operation("logSoftmax", lambda x: torch.log_softmax(x, -1), normal(3, 7, scale=3))
    operation("rmsNorm", rms_norm, normal(2, 3, 7), normal(7))
    operation("rmsNorm", rms_norm, normal(3, 5))
    operation("layerNorm", lambda x, w, b: F.layer_norm(x, (7,), w, b), normal(2, 3, 7), normal(7), normal(7))
    operation("linear", F.linear, normal(2, 3, 5), normal(4, 5), normal(4))
    operation("meanCrossEntropy", lambda x, t: F.cross_entropy(x, t, ignore_index=-1), normal(5, 7), torch.tensor([3, 0, -1, 6, 6]))


# Models: config keys are Kinglet's

COMMON = {
    "modelType": "kinglet", "vocabSize": 13, "hiddenSize": 12, "intermediateSize": 20, "numHiddenLayers": 2,
    "maxPositionEmbeddings": 9, "ropeTheta": 100, "normEps": 1e-5, "embeddingNorm": False, "zeroInitProjections": False,
    "initializerRange": 0.02, "logitSoftcap": 0, "dropout": 0, "residualScalars": False,
}
GPT2 = {
    **COMMON, "numAttentionHeads": 3, "numKeyValueHeads": 3, "headDim": 4, "positions": "learned", "norm": "layernorm", "normGain": True,
    "normBias": True, "activation": "gelu", "linearBias": True, "qkNorm": False, "tieWordEmbeddings": True,
}
LLAMA = {
    **COMMON, "numAttentionHeads": 4, "numKeyValueHeads": 2, "headDim": 4, "positions": "rope", "norm": "rmsnorm", "normGain": True,
    "normBias": False, "activation": "swiglu", "linearBias": False, "qkNorm": True, "tieWordEmbeddings": False,
}
MODERN = {**LLAMA, "normGain": False, "activation": "relu2", "embeddingNorm": True, "logitSoftcap": 4, "residualScalars": True}


def model_parameters(config):
    """Random everywhere, gains and biases too, so that no gradient is trivially right."""
    C, V = config["hiddenSize"], config["vocabSize"]
    H, K, D, I = config["numAttentionHeads"], config["numKeyValueHeads"], config["headDim"], config["intermediateSize"]
    shapes = {"model.embed_tokens.weight": (V, C)}
    if config["positions"] == "learned":
        shapes["model.embed_positions.weight"] = (config["maxPositionEmbeddings"], C)

    def norm(name, size):
        if config["normGain"]:
            shapes[f"{name}.weight"] = (size,)
        if config["normBias"]:
            shapes[f"{name}.bias"] = (size,)

    def linear(name, out, into):
        shapes[f"{name}.weight"] = (out, into)
        if config["linearBias"]:
            shapes[f"{name}.bias"] = (out,)

    for layer in range(config["numHiddenLayers"]):
        at = f"model.layers.{layer}"
        if config["residualScalars"]:
            shapes[f"{at}.residual_scale"] = shapes[f"{at}.embedding_scale"] = (1,)
        norm(f"{at}.input_layernorm", C)
        linear(f"{at}.self_attn.q_proj", H * D, C)
        linear(f"{at}.self_attn.k_proj", K * D, C)
        linear(f"{at}.self_attn.v_proj", K * D, C)
        if config["qkNorm"] and config["normGain"]:
            shapes[f"{at}.self_attn.q_norm.weight"] = shapes[f"{at}.self_attn.k_norm.weight"] = (D,)
        linear(f"{at}.self_attn.o_proj", C, H * D)
        norm(f"{at}.post_attention_layernorm", C)
        if config["activation"] == "swiglu":
            linear(f"{at}.mlp.gate_proj", I, C)
        linear(f"{at}.mlp.up_proj", I, C)
        linear(f"{at}.mlp.down_proj", C, I)
    norm("model.norm", C)
    if not config["tieWordEmbeddings"]:
        shapes["lm_head.weight"] = (V, C)
    values = {name: normal(*shape, scale=0.3) for name, shape in shapes.items()}
    for name in values:
        if name.endswith(("norm.weight", "residual_scale")):
            values[name] = round32(1 + values[name])
    return {name: value.requires_grad_() for name, value in values.items()}


def forward(config, p, tokens):
    """Logits [B, T, V]."""
    B, T = tokens.shape
    H, K, D, eps = config["numAttentionHeads"], config["numKeyValueHeads"], config["headDim"], config["normEps"]
    zero = torch.zeros(B, dtype=torch.long)
    cos, sin = rope_tables(config["maxPositionEmbeddings"], D, config["ropeTheta"])

    def norm(name, x):
        weight, bias = p.get(f"{name}.weight"), p.get(f"{name}.bias")
        return rms_norm(x, weight, eps) if config["norm"] == "rmsnorm" else F.layer_norm(x, x.shape[-1:], weight, bias, eps)

    def linear(name, x):
        return F.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))

    def place(name, x):
        x = rms_norm(x, p.get(f"{name}_norm.weight"), eps) if config["qkNorm"] else x
        return rope(x, cos, sin, zero) if config["positions"] == "rope" else x

    def feed_forward(at, x):
        if config["activation"] == "swiglu":
            return linear(f"{at}.down_proj", F.silu(linear(f"{at}.gate_proj", x)) * linear(f"{at}.up_proj", x))
        activation = {"gelu": F.gelu, "gelu_tanh": gelu_tanh, "relu2": lambda y: F.relu(y) ** 2}[config["activation"]]
        return linear(f"{at}.down_proj", activation(linear(f"{at}.up_proj", x)))

    x = p["model.embed_tokens.weight"][tokens]
    if config["positions"] == "learned":
        x = x + p["model.embed_positions.weight"][:T]
    if config["embeddingNorm"]:
        x = norm("none", x)
    x0 = x
    for layer in range(config["numHiddenLayers"]):
        at = f"model.layers.{layer}"
        if config["residualScalars"]:
            x = p[f"{at}.residual_scale"] * x + p[f"{at}.embedding_scale"] * x0
        y = norm(f"{at}.input_layernorm", x)
        q = place(f"{at}.self_attn.q", linear(f"{at}.self_attn.q_proj", y).view(B, T, H, D))
        k = place(f"{at}.self_attn.k", linear(f"{at}.self_attn.k_proj", y).view(B, T, K, D))
        v = linear(f"{at}.self_attn.v_proj", y).view(B, T, K, D)
        x = x + linear(f"{at}.self_attn.o_proj", attention(q, k, v, zero).reshape(B, T, H * D))
        x = x + feed_forward(f"{at}.mlp", norm(f"{at}.post_attention_layernorm", x))
    head = p["model.embed_tokens.weight"] if config["tieWordEmbeddings"] else p["lm_head.weight"]
    logits = F.linear(norm("model.norm", x), head)
    cap = config["logitSoftcap"]
    return cap * torch.tanh(logits / cap) if cap else logits


def loss_of(logits, targets):
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-1)


def packed(x):
    """Shape and little-endian f32 in base64."""
    values = x.detach().to(torch.float32).contiguous().numpy().astype("<f4").tobytes()
    return {"shape": list(x.shape), "f32": base64.b64encode(values).decode()}


def model_fixture(config):
    p = model_parameters(config)
    initial = {name: packed(value) for name, value in p.items()}
    tokens, targets = integers(2, 7, high=13), integers(2, 7, high=13)
    targets[1, 6] = -1
    logits = forward(config, p, tokens)
    loss = loss_of(logits, targets)
    loss.backward()
    return p, tokens, targets, {
        "config": config, "parameters": initial, "tokens": array(tokens), "targets": array(targets),
        "logits": packed(logits), "loss": loss.item(), "gradients": {name: packed(value.grad) for name, value in p.items()},
    }


# Optimizers


def adamw_steps(config, p, tokens, targets, steps=10):
    """torch.optim.AdamW as nanoGPT uses it: decay where there are two axes or more, clipping at 1."""
    options = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weightDecay": 0.1, "clipNorm": 1.0}
    groups = [{"params": [x for x in p.values() if x.dim() >= 2], "weight_decay": options["weightDecay"]},
              {"params": [x for x in p.values() if x.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options["learningRate"], betas=(0.9, 0.99), eps=1e-8)
    losses, norms = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(forward(config, p, tokens), targets)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(list(p.values()), options["clipNorm"]).item())
        losses.append(loss.item())
        optimizer.step()
    return {"options": options, "losses": losses, "gradientNorms": norms, "parameters": {n: packed(x) for n, x in p.items()}}


def newton_schulz(g, iterations=5):
    """Jordan et al. 2024, kellerjordan.github.io/posts/muon: quintic iteration towards the nearest orthogonal matrix."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm() + 1e-7)
    x = x.T if g.shape[0] > g.shape[1] else x
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def muon_steps(config, p, tokens, targets, steps=10):
    """Muon with Nesterov momentum for the layers' matrices, AdamW for embeddings, head and the rest."""
    options = {"learningRate": 0.02, "from": 0.85, "to": 0.95, "warmupSteps": 4, "weightDecay": 0.05,
               "adamW": {"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.0}, "factor": 0.5}
    matrices = {n: x for n, x in p.items() if x.dim() == 2 and ".layers." in n}
    others = [x for n, x in p.items() if n not in matrices]
    adam = torch.optim.AdamW(others, lr=options["learningRate"] * options["factor"], betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
    buffers = {n: torch.zeros_like(x) for n, x in matrices.items()}
    losses = []
    for step in range(steps):
        for x in p.values():
            x.grad = None
        loss = loss_of(forward(config, p, tokens), targets)
        loss.backward()
        losses.append(loss.item())
        adam.step()
        momentum = 0.85 + (0.95 - 0.85) * min(step / options["warmupSteps"], 1)
        with torch.no_grad():
            for name, x in matrices.items():
                buffers[name].lerp_(x.grad, 1 - momentum)
                update = newton_schulz(x.grad.lerp(buffers[name], momentum))
                scale = math.sqrt(max(1, x.shape[0] / x.shape[1]))
                x.sub_(options["learningRate"] * (scale * update + options["weightDecay"] * x))
    return {"options": options, "losses": losses, "parameters": {n: packed(x) for n, x in p.items()}}


def write(name, value):
    with open(os.path.join(FOLDER, name), "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(x, separators=(",", ":")) for x in value) + "\n]\n")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    elementwise_operations()
    form_operations()
    product_operations()
    layer_functions()
    write("operations.json", OPERATIONS)
    models = []
    for name, config, optimizer, steps in (("gpt2", GPT2, "adamw", adamw_steps), ("llama", LLAMA, None, None), ("modern", MODERN, "muon", muon_steps)):
        p, tokens, targets, fixture = model_fixture(config)
        models.append({"name": name, **fixture, **({optimizer: steps(config, p, tokens, targets)} if optimizer else {})})
    write("models.json", models)


main()
