"""Loads the operator into Python and compares it with the recurrence in float64. Usage: load_library.py LIB_FOLDER"""
import os
import sys

import torch
import torch.nn.functional as F

torch.ops.load_library(os.path.join(sys.argv[1], "libSluiceTorch.so"))
torch.manual_seed(0)


def reference(q, k, v, g, beta):
    state, outputs = torch.zeros(2, 3, 16, 16, dtype=torch.float64), []
    for t in range(q.shape[1]):
        state = state * g[:, t, :, None, None].exp()
        error = v[:, t] - torch.einsum("bhk,bhkv->bhv", k[:, t], state)
        state = state + torch.einsum("bhk,bhv->bhkv", k[:, t], error * beta[:, t, :, None])
        outputs.append(torch.einsum("bhk,bhkv->bhv", q[:, t], state))
    return torch.stack(outputs, 1), state


def ratio(got, expected):
    return ((got.double() - expected).norm() / expected.norm()).item()


drawn = [F.normalize(torch.randn(2, 21, 3, 16), dim=-1), F.normalize(torch.randn(2, 21, 3, 16), dim=-1),
         torch.randn(2, 21, 3, 16), F.logsigmoid(torch.randn(2, 21, 3) + 2), torch.rand(2, 21, 3)]
own = [x.clone().requires_grad_() for x in drawn]
exact = [x.double().requires_grad_() for x in drawn]
(o,), state = torch.ops.sluice.recurrence("gated_delta_rule", own, None, None, "chunk", 16)
expected, expectedState = reference(*exact)
assert ratio(o, expected) < 1e-5 and ratio(state, expectedState) < 1e-5
(o.square().sum() + state.sum()).backward()
(expected.square().sum() + expectedState.sum()).backward()
for mine, theirs in zip(own, exact):
    assert ratio(mine.grad, theirs.grad) < 1e-4

try:
    torch.ops.sluice.recurrence("no_such_rule", own)
    raise AssertionError("expected an error")
except RuntimeError as error:
    assert "no_such_rule" in str(error) and "\n" not in str(error), error
