"""The part of GitHub's expression language that workflows like ours use: ${{ … }} and if:.

evaluate(text, contexts, functions): values are strings, booleans and numbers; what a context does not
have is ''. Anything else is an error, so that no expression is passed over unseen.
"""

import re

TOKEN = re.compile(r"\s*(?:(?P<str>'(?:[^']|'')*')|(?P<num>\d+)|(?P<name>[A-Za-z_][\w.-]*)|(?P<op>&&|\|\||==|!=|[!(),]))")


def tokens(text):
    place = 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if not match:
            raise ValueError(f"not understood: '{text[place:]}'")
        place = match.end()
        yield match.lastgroup, match.group(match.lastgroup)
    yield "end", ""


class Parser:
    def __init__(self, text, contexts, functions):
        self.tokens = list(tokens(text))
        self.contexts, self.functions = contexts, functions

    def take(self, *wanted):
        if self.tokens[0][1] in wanted and self.tokens[0][0] == "op":
            return self.tokens.pop(0)[1]
        return None

    def need(self, op):
        if not self.take(op):
            raise ValueError(f"'{op}' is missing before '{self.tokens[0][1]}'")

    def either(self):
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value or other
        return value

    def both(self):
        value = self.compared()
        while self.take("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self):
        value = self.single()
        op = self.take("==", "!=")
        if not op:
            return value
        same = text_of(value).lower() == text_of(self.single()).lower()
        return same if op == "==" else not same

    def single(self):
        if self.take("!"):
            return not self.single()
        if self.take("("):
            value = self.either()
            self.need(")")
            return value
        kind, text = self.tokens.pop(0)
        if kind == "str":
            return text[1:-1].replace("''", "'")
        if kind == "num":
            return int(text)
        if kind != "name":
            raise ValueError(f"unexpected '{text}'")
        return self.call(text) if self.take("(") else self.look_up(text)

    def call(self, name):
        arguments = []
        while not self.take(")"):
            arguments.append(self.either())
            self.take(",")
        return self.functions[name](*arguments)

    def look_up(self, path):
        if path in ("true", "false"):
            return path == "true"
        context, *names = path.split(".")
        value = self.contexts[context]  # an unknown context is a mistake, an unknown name is empty
        for name in names:
            value = value.get(name, "") if isinstance(value, dict) else ""
        return value


def text_of(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def evaluate(text, contexts, functions=None):
    parser = Parser(text, contexts, functions or {})
    value = parser.either()
    if parser.tokens[0][0] != "end":
        raise ValueError(f"'{text}' goes on after its end")
    return value


def expand(text, contexts, functions=None):
    """A string with ${{ … }} in it."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda m: text_of(evaluate(m.group(1), contexts, functions)), str(text))
