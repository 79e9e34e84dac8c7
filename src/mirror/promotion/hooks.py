"""Git hooks that keep people off protected branches; they need git and a shell, nothing else.

``reference-transaction`` goes into a clone: it refuses every move of a protected branch (commit, merge, reset, revert,
``branch -f``, a deletion) but those that only follow the remote. ``mirror promote`` calls git without hooks.
``pre-receive`` goes into a bare repository that others push to: it takes a move of a protected branch only together
with an audit log whose entry names exactly that commit.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mirror.promotion.errors import ForeignHookError, GitFailedError
from mirror.promotion.git import ABSENT, Repository, clean_environment
from mirror.promotion.policy import POLICY_FILE, load_policy

_MARK = "Written by `mirror init --git`"
_KEY = "mirror.protected"

_REFERENCE_TRANSACTION = f"""\
#!/bin/sh
# {_MARK}: protected branches move through `mirror promote` alone.
[ "$1" = prepared ] || exit 0
while read -r old new name; do
  case "$name" in refs/heads/*) ;; *) continue ;; esac
  branch=${{name#refs/heads/}}
  git config --get-all {_KEY} | grep -Fxq -e "$branch" || continue
  # Packing references writes each where it is, then takes the loose file of what it has packed away.
  case "$new" in
    *[!0]*) [ "$(git rev-parse --quiet --verify "$name")" = "$new" ] && continue ;;
    *) grep -Fxq -e "$old $name" "$(git rev-parse --git-common-dir)/packed-refs" 2>/dev/null && continue ;;
  esac
  follows=no
  for theirs in $(git for-each-ref --format='%(refname)' "refs/remotes/*/$branch"); do
    case "$new" in
      *[!0]*) git merge-base --is-ancestor "$new" "$theirs" 2>/dev/null && follows=yes ;;
    esac
  done
  [ "$follows" = yes ] && continue
  echo "mirror: branch '$branch' is protected: nobody moves it by hand." >&2
  echo "mirror: work on a branch of your own, then: mirror promote YOUR-BRANCH --to $branch" >&2
  exit 1
done
exit 0
"""

_PRE_RECEIVE = f"""\
#!/bin/sh
# {_MARK}: protected branches take what `mirror promote` and `mirror rollback` push, with its entry in the audit log.
changes=$(cat)
audit=$(printf '%s\\n' "$changes" | while read -r old new name; do
  [ "$name" = refs/mirror/audit ] && echo "$new"
done)
printf '%s\\n' "$changes" | while read -r old new name; do
  if [ "$name" = refs/mirror/audit ]; then
    case "$old" in
      *[!0]*)
        git merge-base --is-ancestor "$old" "$new" || {{ echo "mirror: the audit log is only added to." >&2; exit 1; }}
        ;;
    esac
    continue
  fi
  case "$name" in refs/heads/*) ;; *) continue ;; esac
  branch=${{name#refs/heads/}}
  git config --get-all {_KEY} | grep -Fxq -e "$branch" || continue
  # The first push of a branch makes it; from then on its moves are on record.
  case "$old" in *[!0]*) ;; *) continue ;; esac
  entry="\\"after\\":\\"$new\\""
  [ -n "$audit" ] && git cat-file blob "$audit:audit.jsonl" 2>/dev/null | grep -Fq -e "$entry" && continue
  echo "mirror: branch '$branch' is protected and no entry of the audit log names $new." >&2
  echo "mirror: use: mirror promote YOUR-BRANCH --to $branch" >&2
  exit 1
done
"""


@dataclass(frozen=True)
class HookState:
    """How well protected branches are protected in one repository. ``problem`` is empty when they are."""

    file: Path
    protected: tuple[str, ...]
    problem: str = ""


def protected_branches(repository: Repository) -> tuple[str, ...]:
    """What the policy protects: of the work tree's file, else of the first branch that has one; empty without a policy.

    Raises PolicyError.
    """
    file = repository.path / POLICY_FILE
    if file.is_file():
        return load_policy(file.read_text(encoding="utf-8")).protected
    for name, commit in repository.branches().items():
        if POLICY_FILE in repository.files(commit):
            return load_policy(repository.read(commit, POLICY_FILE), f"{POLICY_FILE} on {name}").protected
    return ()


def install_hooks(repository: Repository, protected: Sequence[str]) -> Path:
    """Writes the hook and the list of protected branches; a second time brings both up to date.

    Raises:
        ForeignHookError: there is a hook of that name that this function did not write; nothing was changed.
    """
    name, text = _wanted(repository)
    file = _folder(repository) / name
    if file.exists() and _MARK not in file.read_text(encoding="utf-8", errors="replace"):
        raise ForeignHookError(str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o755)
    temporary.replace(file)
    if _protected(repository):
        repository.run("config", "--local", "--unset-all", _KEY)
    for branch in protected:
        repository.run("config", "--local", "--add", _KEY, branch)
    return file


def hook_state(repository: Repository, protected: Sequence[str]) -> HookState:
    """Whether the hook is the one that is written today, protects what the policy protects, and really says no."""
    name, text = _wanted(repository)
    file = _folder(repository) / name
    known = _protected(repository)
    if not file.exists():
        return HookState(file, known, f"no {name} hook: anybody can commit to {', '.join(protected)}")
    if file.read_text(encoding="utf-8", errors="replace") != text:
        return HookState(file, known, f"the {name} hook is not the one this version writes")
    if not os.access(file, os.X_OK):
        return HookState(file, known, f"the {name} hook cannot be executed, so git skips it")
    if sorted(known) != sorted(protected):
        return HookState(file, known, f"it protects {', '.join(known) or 'nothing'}, the policy {', '.join(protected)}")
    for branch in protected:
        if _lets_through(repository, file, branch):
            return HookState(file, known, f"the {name} hook let a move of {branch} through when it was tried")
    return HookState(file, known)


def _lets_through(repository: Repository, hook: Path, branch: str) -> bool:
    """Asks the hook about a move nobody promoted; nothing is moved."""
    old, new = "1" * len(ABSENT), "2" * len(ABSENT)
    done = subprocess.run(
        [str(hook), "prepared"],
        cwd=repository.path,
        input=f"{old} {new} refs/heads/{branch}\n",
        text=True,
        capture_output=True,
        env=clean_environment({"GIT_DIR": str(repository.common_directory)}),
        check=False,
        timeout=30,
    )
    return done.returncode == 0


def _wanted(repository: Repository) -> tuple[str, str]:
    bare = repository.run("rev-parse", "--is-bare-repository").strip() == "true"
    return ("pre-receive", _PRE_RECEIVE) if bare else ("reference-transaction", _REFERENCE_TRANSACTION)


def _folder(repository: Repository) -> Path:
    # Where git itself would look, which a person's settings may say, and not where our own calls look (nowhere).
    done = subprocess.run(
        ["git", "rev-parse", "--path-format=absolute", "--git-path", "hooks"],
        cwd=repository.path,
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=True,
    )
    return Path(done.stdout.strip())


def _protected(repository: Repository) -> tuple[str, ...]:
    try:
        return tuple(repository.run("config", "--local", "--get-all", _KEY).splitlines())
    except GitFailedError:
        # git's way to say that the key is not set
        return ()
