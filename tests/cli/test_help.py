"""What ``--help`` says can be typed, says everything, and the shell completes what it lists."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from mirror.cli import cli
from mirror.promotion.git import clean_environment


def commands(command: click.Command = cli, path: tuple[str, ...] = ("mirror",)) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from commands(found, (*path, name))


ALL = dict(commands())


def examples(command: click.Command) -> list[str]:
    _, heading, after = inspect.cleandoc(str(command.help)).partition("\n\b\nExample")
    return [line.strip() for line in after.split("\n\n")[0].splitlines()[1:]] if heading else []


def parse(words: list[str], command: click.Command = cli) -> None:
    """As the command line would, without running anything; a group hands on what follows its own options."""
    if not isinstance(command, click.Group):
        command.make_context(str(command.name), words)
        return
    context = click.Context(command)
    _, rest, _ = command.make_parser(context).parse_args(args=words)
    if rest:
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        parse(rest, found)


def test_every_command_shows_examples_of_itself_that_can_be_typed() -> None:
    assert len(ALL) > 40
    for path, command in ALL.items():
        shown = examples(command)
        assert shown, f"{path} --help shows no example"
        own = [line for line in shown if " ".join(w for w in line.split() if w != "--json").startswith(path)]
        assert own, f"{path} --help shows only examples of others: {shown}"
        for line in shown:
            for part in line.split(" && "):
                words = shlex.split(part)
                if words[0] == "mirror":
                    try:
                        parse(words[1:])
                    except click.ClickException as error:
                        # an example names files that are the reader's
                        if "does not exist" in error.format_message():
                            continue
                        pytest.fail(f"{path} --help shows `{part}`: {error.format_message()}")


def test_every_command_and_option_says_what_it_does() -> None:
    for path, command in ALL.items():
        assert str(command.help).strip().partition("\n")[0].endswith((".", ":", "`.", "?")), path
        silent = [p.opts[-1] for p in command.params if isinstance(p, click.Option) and not p.help]
        assert silent == [], f"{path} {silent}"


def test_the_root_says_how_commands_end() -> None:
    said = str(cli.help)
    assert [code for code in "0123" if not re.search(rf"^\s+{code}\s", said, re.MULTILINE)] == []


def completed(*words: str, typed: str = "") -> list[str]:
    return [
        item.value for item in ShellComplete(cli, {}, "mirror", "_MIRROR_COMPLETE").get_completions([*words], typed)
    ]


def test_the_shell_completes_commands_options_and_branches(tmp_path) -> None:
    for words in (
        "init -q -b staging",
        "-c user.name=a -c user.email=a@b commit -q --allow-empty -m a",
        "branch feature/x",
    ):
        subprocess.run(["git", *words.split()], cwd=tmp_path, check=True, env=clean_environment())
    assert completed(typed="mod") == ["models"]
    assert completed("models", typed="re") == ["release", "resume"]
    assert completed("build", typed="--fall") == ["--fallback"]
    assert completed("promote", "--repo", str(tmp_path), typed="feat") == ["feature/x"]
    assert completed("promote", "feature/x", "--repo", str(tmp_path), "--to", typed="s") == ["staging"]


@pytest.mark.nightly
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_line_in_the_guide_completes_in_a_real_shell(shell, tmp_path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs the shell itself: apt-get install {shell}")
    line = {
        "bash": 'COMP_WORDS=(mirror mod); COMP_CWORD=1; _mirror_completion mirror; echo "${COMPREPLY[@]}"',
        "zsh": "print ${_comps[mirror]}; _MIRROR_COMPLETE=zsh_complete COMP_WORDS='mirror mod' COMP_CWORD=1 mirror",
    }[shell]
    start = {"bash": "", "zsh": "autoload -Uz compinit; compinit -u -d $PWD/dump; "}[shell]
    guide = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r'`(eval "\$\(_MIRROR_COMPLETE=bash_source mirror\)")`', guide)
    mirror = tmp_path / "mirror"
    mirror.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from mirror.cli import main; main()" "$@"\n')
    mirror.chmod(0o755)
    done = subprocess.run(
        [shell, "-c", f"{start}{shown.replace('bash_source', f'{shell}_source')}; {line}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment({"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path))}),
    )
    assert done.returncode == 0, done.stderr
    assert "models" in done.stdout.split()
