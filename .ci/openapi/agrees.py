"""The schemas of the OpenAPI document and the server take and refuse the same bodies and names.

Each value is given to a validator of JSON Schema and sent to the server: both must say what stands
beside it. What a schema cannot say is refused by the server alone, and its description has the word.
Called by .ci/checks/openapi with the document and the URL of a server without rate limits.
"""

import json
import sys

import httpx
from jsonschema import Draft202012Validator

# char::is_whitespace, which is Unicode's White_Space.
SPACES = [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]
SPACES += [0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
# Other engines, or other standards, call these white space.
NO_SPACES = [0x1C, 0x180E, 0x200B, 0xFEFF]

TAKEN = {200, 201, 401, 404, 409}
REFUSED = {400, 413, 415, 422}


def texts(most, least=1):
    """Texts of so many characters, and what is none."""
    yield from [("é" * most, True), ("é" * (most + 1), False), ("a\u0001b\n", True)]
    yield from [("\0", False), ("a\0b", False), ("", least == 0), (7, False), (["a"], False)]


def words(most):
    """Texts in which there is something to read."""
    yield from texts(most)
    blank = "".join(map(chr, SPACES))
    yield from [(None, False), (blank, False), (f"{blank}a{blank}", True)]
    yield from ((chr(space), False) for space in SPACES)
    yield from ((chr(other), True) for other in NO_SPACES)


class Both:
    """A server and the document that describes it."""

    def __init__(self, document, url):
        self.document = document
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=60)
        account = {"username": "agrees", "email": "agrees@example.com", "password": "correct horse"}
        session = self.http.post("/api/v2/auth/register", json=account).json()
        self.http.headers["authorization"] = f"Bearer {session['access_token']}"
        self.ids = {
            "todos": self.http.post("/api/v2/todos", json={"title": "t"}).json()["id"],
            "posts": self.http.post("/api/posts", json={"title": "t", "body": "b"}).json()["id"],
        }
        self.wrong, self.asked = [], 0

    def validator(self, schema):
        """For a schema of the document, which may refer to others."""
        return Draft202012Validator({"allOf": [schema], "components": self.document["components"]})

    def validator_of(self, method, path):
        body = self.document["paths"][path][method]["requestBody"]
        return self.validator(body["content"]["application/json"]["schema"])

    def send(self, method, path, body):
        """The status of the answer."""
        # Python's own strings may have what JSON must escape.
        content = json.dumps(body).encode()
        for resource, number in self.ids.items():
            if f"/{resource}/" in path:
                path = path.replace("{id}", str(number))
        headers = {"content-type": "application/json"}
        return self.http.request(method, path, content=content, headers=headers).status_code

    def say(self, what, value, taken, by_schema, status):
        """Notes it if they differ."""
        self.asked += 1
        by_server = True if status in TAKEN else False if status in REFUSED else status
        if (by_schema, by_server) != (taken, taken):
            shown = json.dumps(value)[:100]
            self.wrong.append(f"{what} {shown}: right {taken}, schema {by_schema}, server {status}")

    def bodies(self, method, path, bodies):
        validator = self.validator_of(method, path)
        for body, taken in bodies:
            status = self.send(method, path, body)
            self.say(f"{method} {path}", body, taken, validator.is_valid(body), status)

    def field(self, method, path, body, field, values):
        self.bodies(method, path, [({**body, field: value}, taken) for value, taken in values])

    def in_words(self, method, path, component, body, field, value, word):
        """A value that the schema can't refuse: the server does, and the description has the word."""
        body = {**body, field: value}
        valid = self.validator_of(method, path).is_valid(body)
        about = self.document["components"]["schemas"][component]["properties"][field].get("description", "")
        self.asked += 1
        if not valid or self.send(method, path, body) != 422 or word not in about:
            self.wrong.append(f"{component}.{field} should be refused by the words: {about}")


def todos_and_posts(both):
    for method, path, body in [
        ("post", "/api/v2/todos", {"title": "t"}),
        ("put", "/api/v1/todos/{id}", {}),
    ]:
        both.field(method, path, body, "title", words(200))
        both.field(method, path, body, "description", [*texts(10_000, least=0), (None, True)])
        flags = [(True, True), (False, True), (None, False), ("true", False), (1, False)]
        both.field(method, path, body, "completed", flags)
    both.bodies("post", "/api/v1/todos", [({}, False), ([], False), (None, False)])
    for method, path in [("post", "/api/posts"), ("put", "/api/posts/{id}")]:
        post = {"title": "t", "body": "b"}
        both.field(method, path, post, "title", words(200))
        both.field(method, path, post, "body", words(50_000))
    both.field("post", "/api/posts/{id}/comments", {}, "body", words(5_000))


def logs(both):
    line = {"device_id": "a", "log_level": "INFO", "message": "m"}
    good = ["a", "_", "7:b-c.d", "a" * 100, "Batch", "batches", "1batch"]
    bad = ["", "a" * 101, "batch", ".a", "-a", ":a", "a b", "ä", "a/b", "a\0"]
    devices = [(name, True) for name in good] + [(name, False) for name in bad]
    both.field("post", "/api/log", line, "device_id", devices)
    good = ["DEBUG", "Info", "warn", "WARN", "wArNiNg", "error", "CRITICAL"]
    bad = ["", "FATAL", " INFO", "INFOINFO", "ınfo", "INFO|", 20, None]
    levels = [(level, True) for level in good] + [(level, False) for level in bad]
    both.field("post", "/api/log", line, "log_level", levels)
    both.field("post", "/api/log", line, "message", [*texts(10_000), (" ", True), (None, False)])
    good = [{}, {"a": [1, {"b": None}], "é": "\u0001"}, None]
    data = [(value, True) for value in good] + [(value, False) for value in ([], "{}", 1, True)]
    both.field("post", "/api/log", line, "log_data", data)

    good = [[line], [line] * 1_000, {"logs": [line]}, {"logs": [line] * 1_000, "more": 1}]
    bad = [[], [line] * 1_001, {"logs": []}, {"logs": [line] * 1_001}, {"logs": line}, [[line]]]
    bad += [[line, {**line, "device_id": "batch"}], {}, line, None]
    batches = [(batch, True) for batch in good] + [(batch, False) for batch in bad]
    both.bodies("post", "/api/logs/batch", batches)

    path = "/api/logs/{device_id}"
    [schema] = [p["schema"] for p in both.document["paths"][path]["get"]["parameters"] if p["in"] == "path"]
    for name, taken in devices:
        # An empty one makes another path.
        if name:
            escaped = "".join(f"%{byte:02X}" for byte in name.encode())
            status = both.http.get(path.replace("{device_id}", escaped)).status_code
            # What is no name is not found, and `batch` is the place for batches.
            status = {404: 422, 405: 422}.get(status, status)
            both.say(f"get {path}", name, taken, both.validator(schema).is_valid(name), status)


def accounts(both):
    account = {"username": "abc", "email": "abc@example.com", "password": "correct horse"}
    good, bad = ["abc", "A_9", "a" * 50], ["ab", "a" * 51, "a-b-c", "äöü", "a\0b", "", 7, None]
    names = [(name, True) for name in good] + [(name, False) for name in bad]
    both.field("post", "/api/v2/auth/register", account, "username", names)
    both.field("post", "/api/v2/auth/refresh", {}, "refresh_token", [*texts(1_000), (None, False)])


def words_alone(both):
    login = {"email": "agrees@example.com", "password": "correct horse"}
    line = {"device_id": "a", "log_level": "INFO", "message": "m"}
    for value in ("seven77", "é" * 37):
        both.in_words("post", "/api/v2/auth/login", "LoginIn", login, "password", value, "bytes")
    both.in_words("post", "/api/v2/auth/login", "LoginIn", login, "email", "agrees@localhost", "dot")
    for value, word in (({"deep": [{"a\0": 1}]}, "NUL"), ({"a": "a" * 16_384}, "16 KiB")):
        both.in_words("post", "/api/log", "LogIn", line, "log_data", value, word)


def main():
    file, url = sys.argv[1:]
    with open(file, encoding="utf-8") as document:
        both = Both(json.load(document), url)
    for part in (todos_and_posts, logs, accounts, words_alone):
        part(both)
    for wrong in both.wrong:
        print(wrong)
    print(f"{both.asked} values, {len(both.wrong)} of which schema and server see differently")
    sys.exit(bool(both.wrong))


main()
