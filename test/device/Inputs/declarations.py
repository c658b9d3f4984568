"""Reads what a device header declares in namespace sluice::device: functions by their parameter types, types, macros.

It reads preprocessed text, so that what macros declare counts too, and skips bodies and namespace detail.
"""

import re
import subprocess

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|::|\.\.\.|->|&&|\|\||==|!=|<=|>=|\S")
SPECIFIERS = {"inline", "static", "constexpr", "consteval", "explicit", "typename", "extern", "friend", "mutable"}
KEYWORDS = {"const", "class", "unsigned", "int", "bool", "void", "u8", "u16", "u32", "u64", "i32", "i64", "f32"}
# The GPU's side is read without CUDA: its annotations vanish.
CUDA = ["-D__CUDACC__", "-D__device__=", "-D__forceinline__=", "-D__global__=", "-D__shared__=", "-D__align__(n)="]
GPU = {"sm_80": [*CUDA, "-D__CUDA_ARCH__=800"], "sm_90": [*CUDA, "-D__CUDA_ARCH__=900"],
       "sm_90a": [*CUDA, "-D__CUDA_ARCH__=900", "-D__CUDA_ARCH_FEAT_SM90_ALL"]}


def preprocessed(compiler, header, includes, defines):
    """Text by file, of the header and all that it includes."""
    command = [compiler, "-E", "-std=c++20", "-x", "c++", *defines, *[f"-I{i}" for i in includes], header]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    files, current = {}, None
    for line in output.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            current = files.setdefault(marker.group(1), [])
        elif current is not None:
            current.append(line)
    return {name: "\n".join(lines) for name, lines in files.items()}


def matching(tokens, start, opening, closing):
    """The index behind the bracket that closes tokens[start]."""
    depth = 0
    for i in range(start, len(tokens)):
        depth += (tokens[i] == opening) - (tokens[i] == closing)
        if depth == 0:
            return i + 1
    raise ValueError(f"expected {closing} for {' '.join(tokens[start:start + 20])}")


def split(tokens, separator=","):
    """The tokens cut at separators outside brackets of any kind."""
    parts, depth = [[]], 0
    for token in tokens:
        depth += (token in "([{<") - (token in ")]}>")
        if token == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def parameterType(tokens):
    """The type of a parameter without its name; and whether it has a default."""
    parts = split(tokens, "=")
    declared = [t for t in parts[0] if t not in SPECIFIERS]
    if len(declared) > 1 and re.match(r"[A-Za-z_]", declared[-1]) and declared[-1] not in KEYWORDS:
        declared = declared[:-1]
    return declared, len(parts) > 1


def templateParameter(tokens):
    """Kind, name and default of a template parameter."""
    parts = split(tokens, "=")
    kind, name = parts[0][:-1], parts[0][-1]
    if not kind:
        kind, name = [name], ""
    return kind, name, parts[1] if len(parts) > 1 else []


def withoutHelpers(tokens):
    """The spelling of the table: no typename, no detail::, no ::type."""
    text = " ".join(t for t in tokens if t not in SPECIFIERS)
    text = re.sub(r"\b(sluice :: device :: )?detail :: ", "", text)
    return re.sub(r" :: type\b", "", text)


def signatures(tokens):
    """The normalised forms of a function's declaration, one for each number of arguments that it takes."""
    template, renamed = [], {}
    if tokens[0] == "template":
        end = matching(tokens, 1, "<", ">")
        for part in split(tokens[2:end - 1]):
            kind, name, default = templateParameter(part)
            renamed[name] = f"${len(renamed)}"
            template.append(" ".join(kind + (["="] + default if default else [])))
        tokens = tokens[end:]
        if tokens[0] == "requires":
            tokens = tokens[matching(tokens, 1, "(", ")"):]
    opening = tokens.index("(")
    close = matching(tokens, opening, "(", ")")
    parameters = [parameterType(part) for part in split(tokens[opening + 1:close - 1])]
    parameters = [p for p in parameters if withoutHelpers(p[0]) not in ("Site", "void")]
    least = sum(1 for _, hasDefault in parameters if not hasDefault)
    rename = lambda text: re.sub(r"\w+", lambda m: renamed.get(m.group(0), m.group(0)), text)
    head = rename(withoutHelpers(tokens[:opening]))
    prefix = f"template < {', '.join(template)} > " if template else ""
    types = [rename(withoutHelpers(p[0])) for p in parameters]
    return [f"{prefix}{head} ( {', '.join(types[:n])} )" for n in range(least, len(types) + 1)]


def classMembers(tokens):
    """The names that a class makes public; `tokens` from its opening brace on."""
    names, public, i = set(), True, 1
    while i < len(tokens) - 1:
        if tokens[i] in ("public", "private", "protected") and tokens[i + 1] == ":":
            public, i = tokens[i] == "public", i + 2
            continue
        end = i
        while tokens[end] not in (";", "{"):
            end = matching(tokens, end, "(", ")") if tokens[end] == "(" else end + 1
        name = memberName(tokens[i:end])
        if public and name:
            names.add(name)
        i = end + 1 if tokens[end] == ";" else matching(tokens, end, "{", "}")
        i += i < len(tokens) and tokens[i] == ";"
    return names


def memberName(tokens):
    """What a member declaration names; nothing for assertions, friends and what the compiler has anyway."""
    if not tokens or tokens[0] in ("static_assert", "friend", "using") or "default" in tokens or "~" in tokens:
        return None
    if tokens[0] == "template":
        tokens = tokens[matching(tokens, 1, "<", ">"):]
    if tokens[0] == "requires":
        tokens = tokens[matching(tokens, 1, "(", ")"):]
    if "operator" in tokens:
        at = tokens.index("operator")
        symbol = "".join(tokens[at + 1:at + 3]) if tokens[at + 1] == "(" else tokens[at + 1]
        return None if symbol == "=" or re.match(r"\w", symbol) else "operator" + symbol
    if "(" in tokens:
        at = tokens.index("(")
        copies = tokens[at + 1:at + 4] == ["const", tokens[at - 1], "&"]
        return None if copies else tokens[at - 1]
    tokens = tokens[:tokens.index("=")] if "=" in tokens else tokens
    tokens = tokens[:tokens.index("[")] if "[" in tokens else tokens
    return tokens[-1]


class Declarations:
    """functions: normalised signatures by name. types: public members by name, with those of the bases. placeless:
    names of functions without a parameter for the place of the call."""

    def __init__(self, text):
        text = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", text, flags=re.S)
        self.functions, self.types, self.bases, self.inner, self.placeless = {}, {}, {}, {}, set()
        self.read(TOKEN.findall(text), ())

    def read(self, tokens, scope):
        i = 0
        while i < len(tokens):
            if tokens[i] == ";":
                i += 1
                continue
            end = i
            while end < len(tokens) and tokens[end] not in (";", "{"):
                end = matching(tokens, end, "(", ")") if tokens[end] == "(" else end + 1
            if end >= len(tokens):
                return
            close = end + 1 if tokens[end] == ";" else matching(tokens, end, "{", "}")
            self.declaration(tokens[i:end], tokens[end:close], scope)
            i = close

    def declaration(self, head, body, scope):
        if head and head[0] == "namespace":
            self.read(body[1:-1], scope + tuple(t for t in head[1:] if t != "::"))
            return
        if scope[:2] != ("sluice", "device") or not head or head[0] in ("using", "static_assert", "#") \
                or head[-1] == "delete":
            return
        plain = head[matching(head, 1, "<", ">"):] if head[0] == "template" else head
        if plain[0] in ("struct", "class", "enum"):
            self.type(plain, body, scope)
        elif scope == ("sluice", "device") and "(" in head:
            opening = plain.index("(")
            self.functions.setdefault(plain[opening - 1], set()).update(signatures(head))
            if "Site" not in head:
                self.placeless.add(plain[opening - 1])

    def type(self, plain, body, scope):
        if "alignas" in plain:
            at = plain.index("alignas")
            plain = plain[:at] + plain[matching(plain, at + 1, "(", ")"):]
        if body[0] != "{" or "<" in plain[:4]:
            return
        if plain[0] == "enum":
            if plain[1] == "class":
                self.types[plain[2]] = {value[0] for value in split(body[1:-1])}
            return
        name = plain[1]
        target = self.types if scope == ("sluice", "device") else self.inner
        target[name] = classMembers(body)
        if ":" in plain:
            self.bases[name] = [t for t in plain[plain.index(":"):] if re.match(r"[A-Z]\w*$", t)]

    def members(self, name):
        own = self.types.get(name, self.inner.get(name, set()))
        return own.union(*[self.members(base) - {base} for base in self.bases.get(name, [])])
