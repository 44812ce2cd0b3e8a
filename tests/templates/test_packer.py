"""Beside the real Packer: both read the same templates in the same way."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.templates import Reading, load
from core.templates.hcl.layout import layout
from core.templates.source import Source
from core.templates.values.show import show
from tests.templates.conftest import CORPUS, Packer, Write, given, value

BOTH = [
    "1 + 2 * 3 - 4 / 2",
    "-7 % 3",
    "7.5 % 2",
    "10 / 4",
    "0.1 + 0.2",
    "1e3",
    "-5 / 2",
    "2 - -3",
    "1 == 1.0",
    '"1" == 1',
    "[1, 2] == [1, 2]",
    "{ a = 1 } == { a = 1 }",
    "null == null",
    "!false && (1 > 2 || 3 >= 3)",
    'true ? 1 : "a"',
    "false ? [1] : [2]",
    "true ? { a = 1 } : { a = 2 }",
    '"5" + 1',
    'true && "true"',
    "{ a = [1, { b = 2 }] }.a[1].b",
    "[[1, 2], [3]][*][0]",
    "[{ a = 1 }, { a = 2 }].*.a",
    '["a", "b"].1',
    '[for i, x in ["a", "b"] : "${i}${x}"]',
    "[for x in [1, 2, 3] : x * 2 if x != 2]",
    "{ for k, v in { b = 1, a = 2 } : upper(k) => v }",
    '{ for x in ["a", "b", "a"] : x => 1... }',
    "[for k, v in { b = 1, a = 2 } : k]",
    '"a${1}b${true}c"',
    '"%{ if 1 > 2 }yes%{ else }no%{ endif }"',
    '"%{ for x in [1, 2] }<${x}>%{ endfor }"',
    '"a ${~ "b" ~} c"',
    r'"$${x} %%{y} \t\u00e9"',
    '"x\\n  %{~ if true ~} \\n y %{~ endif ~}\\n z"',
    '"${[1, 2]}"',
    '{ (upper("a")) = 1, "b c" : 2 }',
    "abs(-2.5)",
    "ceil(1.2)",
    "floor(-1.2)",
    "log(8, 2)",
    "pow(2, 10)",
    "pow(2, 0.5)",
    "signum(-3)",
    'parseint("ff", 16)',
    "max(1, 5.5, 3)",
    "min([4, 2]...)",
    'chomp("a\\n\\n")',
    'lower("ÄB")',
    'upper("äb")',
    'title("hello wORLD x-y")',
    'strrev("añb")',
    'substr("hello", 1, 3)',
    'substr("hello", -2, -1)',
    'trim("--a--", "-")',
    'trimprefix("ab", "a")',
    'trimsuffix("ab", "b")',
    'trimspace(" a ")',
    'split(",", "a,,b")',
    'split(",", "")',
    'split("", "abc")',
    'join("-", ["a", "b"])',
    'indent(2, "a\\nb")',
    'replace("a/b", "/", "-")',
    'regex_replace("a1b2", "([a-z])", "<$1>")',
    'format("%s=%05d %q %.2f %v %%", "a", 42, "b", 1.5, [1])',
    'format("%-5s|%5s|%+d|%x|%o|%b|%e|%g", "a", "b", 5, 255, 8, 5, 12345.678, 0.00001)',
    'format("%v %v %v %v", 1, "x", true, { a = 1 })',
    'formatlist("%s-%s", ["a", "b"], "x")',
    "chunklist([1, 2, 3], 2)",
    'coalesce(null, "x")',
    "coalescelist([], [1])",
    'compact(["a", "", "b"])',
    "concat([1], [2, 3])",
    'contains(["a"], "a")',
    "distinct([1, 2, 1])",
    "element([1, 2, 3], 4)",
    "flatten([[1], [[2], 3]])",
    "keys({ b = 1, a = 2 })",
    "values({ b = 1, a = 2 })",
    "length([1, 2])",
    'lookup({ a = 1 }, "a", 5)',
    "merge({ a = 1, b = 1 }, { b = 2 })",
    "range(3)",
    "range(1, 4)",
    "range(5, 1, -2)",
    "reverse([1, 2])",
    "setintersection([1, 2], [2, 3])",
    "setunion([2], [1])",
    "setproduct([1, 2], [3])",
    "slice([1, 2, 3], 1, 2)",
    'sort(["b", "a"])',
    'zipmap(["a", "b"], [1, 2])',
    'base64encode("hé")',
    'base64decode("aMOp")',
    'urlencode("a b/ü~*")',
    'csvdecode("a,b\\n1,2\\n")',
    'jsonencode({ b = [1, null, "<&>"], a = 1.5 })',
    'jsondecode("{\\"a\\": [1, 2.5, true, null]}")',
    'yamldecode("a: [1, x]\\nb: true")',
    'yamlencode({ a = [1, { b = "x" }], c = {}, d = null, e = [] })',
    'basename("/a/b.c")',
    'dirname("/a/b.c")',
    'pathexpand("/x")',
    'timeadd("2024-02-28T12:00:00Z", "24h30m")',
    'formatdate("YYYY-MM-DD\'T\'hh:mm:ss EEE, D MMM H AA ZZZZ Z ZZZ", "2024-05-03T15:04:05+02:00")',
    'md5("a")',
    'sha1("a")',
    'sha256("a")',
    'sha512("a")',
    'uuidv5("dns", "example.com")',
    'cidrhost("10.0.0.0/8", 5)',
    'cidrnetmask("10.0.0.0/12")',
    'cidrsubnet("10.1.0.0/16", 8, 3)',
    'convert(["1", "2"], list(number))',
    "try([][0], 2)",
    "can([][0])",
]


def test_expressions(packer: Packer) -> None:
    theirs = packer.evaluate(BOTH)
    ours = [_same(value(f"jsonencode([{expression}])")) for expression in BOTH]
    assert dict(zip(BOTH, ours, strict=True)) == dict(zip(BOTH, theirs, strict=True))


def _same(text: str) -> Any:
    """Through JSON, as Packer's own answer came."""
    return json.loads(text)[0]


HEREDOCS = """\
locals {
  a = <<-EOT
    x %{ if true ~}
       y
    %{~ endif }
  z

      q
  EOT
  b = <<EOT
x

   %{~ if true ~}

   y

  %{ endif ~}
EOT
  c = <<-EOT
    ${"a"}
      b
    ${"c"} d
    EOT
}
source "null" "n" {
  communicator = "none"
}
build {
  sources = ["null.n"]
}
"""


def test_heredocs(packer: Packer, write: Write) -> None:
    path = write({"h.pkr.hcl": HEREDOCS})
    theirs = packer("console", str(path), stdin="jsonencode([local.a, local.b, local.c])\n").stdout
    ours = load(path, given()).evaluate("jsonencode([local.a, local.b, local.c])")
    assert json.loads(str(ours.raw)) == json.loads(theirs)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder that both can read."""
    return Path(shutil.copytree(CORPUS / "web", tmp_path / "web"))


def test_inspect_of_a_folder(packer: Packer, web: Path) -> None:
    theirs = packer("inspect", str(web)).stdout
    ours = load(web, given())
    expected = _sections(theirs)
    # Packer 1.6 shows the source's name here, though builds use the one that the build gives it.
    expected["sources"] = ["null.renamed" if one == "null.second" else one for one in expected["sources"]]
    assert _inspected(ours) == expected


def _sections(text: str) -> dict[str, Any]:
    """Packer's page as data: variables, locals, and builds with all that is in them."""
    variables = dict(re.findall(r"^var\.(\S+): (.*)$", text, re.MULTILINE))
    local = dict(re.findall(r"^local\.(\S+): (.*)$", text, re.MULTILINE))
    builds = text.partition("> builds:")[2]
    words = [line.strip() for line in builds.splitlines() if line.strip()]
    name = words.pop(0).removeprefix("> ").removesuffix(":")
    found: dict[str, list[str]] = {}
    heading = ""
    for word in words:
        if word.rstrip(":") in ("Description", "sources", "provisioners", "post-processors"):
            heading = word.rstrip(":")
            found[heading] = []
        elif word.startswith("Description:"):
            found["Description"] = [word.partition(":")[2].strip()]
        elif heading:
            found[heading].append(word)
    return {
        "variables": {key: _unquoted(item) for key, item in variables.items()},
        "locals": {key: _unquoted(item) for key, item in local.items()},
        "build": name,
        "sources": found["sources"],
        "provisioners": found["provisioners"],
        "post-processors": found["post-processors"],
    }


def _unquoted(text: str) -> str:
    found: str = json.loads(text)
    return found


def _inspected(reading: Reading) -> dict[str, Any]:
    template = reading.template
    build = template.builds[0]
    chains: list[str] = []
    for number, chain in enumerate(build.post_processors):
        chains += [f"{number}:", *(one.kind for one in chain)]

    def shown(name: str) -> str:
        text = show(reading.evaluate(name))
        raw = reading.evaluate(name).raw
        return raw if isinstance(raw, str) and text != "<sensitive>" else text

    return {
        "variables": {one.name: shown(f"var.{one.name}") for one in template.variables},
        "locals": {one.name: shown(f"local.{one.name}") for one in template.locals},
        "build": build.name,
        "sources": [one.address for one in build.sources],
        "provisioners": [one.kind for one in build.provisioners],
        "post-processors": chains,
    }


def test_inspect_of_json(packer: Packer) -> None:
    path = CORPUS / "shop.json"
    rows = [line.split(",") for line in packer("inspect", "-machine-readable", str(path)).stdout.splitlines()]
    theirs = {
        "variables": {row[3]: row[4] for row in rows if row[2] == "template-variable"},
        "builders": {row[3]: row[4] for row in rows if row[2] == "template-builder"},
        "provisioners": [row[3] for row in rows if row[2] == "template-provisioner"],
    }
    template = load(path, given(HOME="/home")).template
    assert theirs == {
        "variables": {
            one.name: "<sensitive>" if one.sensitive else one.default for one in template.variables
        },
        "builders": {one.name: one.kind for one in template.sources},
        "provisioners": [one.kind for one in template.builds[0].provisioners],
    }


def test_both_find_the_corpus_valid(packer: Packer, web: Path) -> None:
    for path in (web, CORPUS / "small.pkr.json"):
        ran = packer("validate", "-syntax-only", str(path))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        load(path, given())


WRONG = [
    "locals {\n  a = local.b\n  b = local.a\n}\n",
    "locals {\n  a = nope(1)\n}\n",
    'variable "a" {\n  type = strin\n}\n',
    'variable "a" {\n  type    = number\n  default = "x"\n}\n',
    'variable "a" {\n}\nvariable "a" {\n}\n',
    "locals {\n  a = var.missing\n}\n",
    'build {\n  sources = ["null.missing"]\n}\n',
    'source "null" {\n}\n',
    "locals {\n  a = 1 +\n}\n",
    "nonsense {\n}\n",
    'locals {\n  a = "${1"\n}\n',
    "build {\n  provisioner {\n  }\n}\n",
]


@pytest.mark.parametrize("text", WRONG)
def test_both_refuse_what_is_wrong(packer: Packer, write: Write, text: str) -> None:
    from tests.templates.conftest import problems

    path = write({"wrong.pkr.hcl": text})
    assert packer("validate", str(path)).returncode != 0
    assert problems(path)


LAYOUTS = [
    """\
variable "a"{
type=string # x
   default   ="b" # yy
  longer=[1,2 , -3 , a-1, a [0]]
}


locals{ a=1 }
""",
    """\
locals {
x = {
a=1
bcd : 2
"q"={}
}
  f = [for   x in [1,2]:x*2 if x>1]
 z = max(1,
  2,
     [3]...)
}
""",
    """\
locals {
  t="${x ? "a":"b"}${y}"
  u = -  1
  v = (a==-1)
  w = [{a=1},{
  b=2}
  ]
  y = a.b[*].c
}
""",
    """\
build{
sources=["null.a"]
provisioner "x"{inline=["a"]}/* c */
  /* multi
 line */
  x = 1 // t
}
""",
    """\
locals {
 a = <<-EOT
    keep   this
  EOT
  bb = 1
 ccc = f(<<EOT
x
EOT
)
}
""",
    "# only a comment",
    "",
    "\n\n\n",
    "a=1\r\nbb=2\r\n",
    'x {\n  a = { b = { c = [ [ 1 ] ] } }\n  d = ( 1+2 )*3\n  e="%{if x}a%{else}b%{endif}"\n}\n',
]


@pytest.mark.parametrize("text", LAYOUTS)
def test_the_layout_is_packers(packer: Packer, write: Write, text: str) -> None:
    path = write({"layout.pkr.hcl": text})
    ours = layout(Source("layout.pkr.hcl", text))
    packer("fmt", str(path))
    assert ours == path.read_text()


def test_what_we_convert_packer_reads(packer: Packer, tmp_path: Path) -> None:
    from core.templates.converting import convert

    to_hcl = convert(CORPUS / "shop.json", "hcl", given(HOME="/home"))
    path = tmp_path / "shop.pkr.hcl"
    # env() is a function of later versions.
    path.write_text(to_hcl.text.replace('env("HOME")', '"/home"'))
    ran = packer("validate", "-syntax-only", str(path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    to_json = convert(CORPUS / "web", "json", given())
    path = tmp_path / "web.json"
    path.write_text(to_json.text)
    ran = packer("validate", "-syntax-only", str(path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
