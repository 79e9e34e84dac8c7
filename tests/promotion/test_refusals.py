"""Each reason why a promotion may not start: its text names what and how, its exit code is right, and nothing moves."""

from __future__ import annotations

import copy

import pytest

from mirror.errors import ExitCode
from mirror.promotion import errors
from mirror.promotion.git import Repository
from mirror.promotion.promote import show_plan


def dirty(world):
    (world.path / "code.txt").write_text("half\n")
    (world.path / "forgotten.txt").write_text("new\n")
    return "feature/x", "staging"


def detached(world):
    world.git("switch", "--quiet", "--detach")
    return "feature/x", "staging"


def unknown_source(world):
    return "feature/y", "staging"


def unknown_target(world):
    return "feature/x", "stagin"


def not_a_step(world):
    return "feature/x", "release"


def checked_out(world):
    world.git("switch", "--quiet", "staging")
    return "feature/x", "staging"


def nothing_new(world):
    world.git("branch", "feature/old", "staging")
    return "feature/old", "staging"


def unrelated(world):
    world.git("switch", "--quiet", "--orphan", "feature/island")
    world.commit("Island", sand_txt="sand\n")
    return "feature/island", "staging"


def stale(world):
    world.git("switch", "--quiet", "staging")
    world.commit("Overtake", other_txt="other\n")
    world.git("switch", "--quiet", "feature/x")
    return "feature/x", "staging"


def conflict(world):
    world.git("switch", "--quiet", "staging")
    world.commit("Overtake", code_txt="fine but else\n")
    world.git("switch", "--quiet", "feature/x")
    return "feature/x", "staging"


def submodule(world):
    head = world.git("rev-parse", "HEAD")
    world.git("update-index", "--add", "--cacheinfo", f"160000,{head},vendored")
    world.git("commit", "--quiet", "--message", "Vendor")
    (world.path / "vendored").mkdir()
    return "feature/x", "staging"


CASES = [
    (dirty, errors.DirtyTreeError, ["code.txt, forgotten.txt", "commit them"], ExitCode.USAGE),
    (detached, errors.DetachedHeadError, ["git switch -c feature/<name>"], ExitCode.USAGE),
    (unknown_source, errors.UnknownBranchError, ["'feature/y'", "Did you mean 'feature/x'?"], ExitCode.USAGE),
    (unknown_target, errors.UnknownBranchError, ["Did you mean 'staging'?", "git branch stagin"], ExitCode.USAGE),
    (not_a_step, errors.StepNotAllowedError, ["'release'", "'feature/x' may go to staging."], ExitCode.REFUSED),
    (checked_out, errors.TargetCheckedOutError, ["'staging' is checked out in", "git switch -"], ExitCode.USAGE),
    (nothing_new, errors.NothingToPromoteError, ["already holds every commit of 'feature/old'"], ExitCode.USAGE),
    (unrelated, errors.UnrelatedHistoriesError, ["share no commit", "git switch -c"], ExitCode.USAGE),
    (stale, errors.StaleBaseError, ["Overtake", "git merge staging"], ExitCode.REFUSED),
    (conflict, errors.MergeConflictError, ["code.txt", "git merge staging", "Nothing was changed"], ExitCode.REFUSED),
    (submodule, errors.SubmodulesError, ["vendored", "depend on a package"], ExitCode.USAGE),
]


@pytest.mark.parametrize(("prepare", "kind", "words", "code"), CASES, ids=[case[0].__name__ for case in CASES])
def test_refused(world, prepare, kind, words, code):
    source, target = prepare(world)
    same = world.untouched()
    with pytest.raises(kind) as refusal:
        world.promote(source, target, "Grace")
    for word in words:
        assert word in str(refusal.value)
    assert refusal.value.exit_code is code
    assert str(copy.copy(refusal.value)) == str(refusal.value)
    assert same()
    assert world.audit() == []
    assert len(world.git("worktree", "list").splitlines()) == 1


@pytest.mark.nightly
def test_an_existing_or_misnamed_tag_is_refused(world):
    world.promote("feature/x", "staging", "Grace")
    world.promote("staging", "release", "Grace")
    world.git("switch", "--quiet", "--create", "feature/y", "staging")
    world.commit("Read twice", code_txt="fine twice\n")
    world.promote("feature/y", "staging", "Grace")
    with pytest.raises(errors.TagExistsError) as exists:
        world.promote("staging", "release", "Grace", tag="release-1")
    with pytest.raises(errors.TagNameError) as misnamed:
        world.promote("staging", "release", "Grace", tag="v2")
    assert "'release-1' exists" in str(exists.value)
    assert "--tag release-2" in str(exists.value)
    assert "'release-{n}'" in str(misnamed.value)
    # Staging needs no merge back from release, although release holds a merge commit of its own.
    assert show_plan(world.repository, world.request("staging", "release"), clock=world.clock).tag == "release-2"
    assert world.promote("staging", "release", "Grace", tag="release-7").tag == "release-7"
    assert world.git("show", "release:code.txt") == "fine twice"


def test_a_folder_without_git_is_named(tmp_path):
    with pytest.raises(errors.NotARepositoryError) as missing:
        Repository(tmp_path)
    assert str(tmp_path) in str(missing.value)
    assert "--repo" in str(missing.value)


@pytest.mark.nightly
def test_branch_names_beyond_ascii_work(world):
    world.git("branch", "--move", "feature/x", "feature/größe-温度")
    outcome = world.promote("feature/größe-温度", "staging", "Grace")
    assert world.head("staging") == outcome.merge
    assert world.audit()[0]["source"]["branch"] == "feature/größe-温度"


@pytest.mark.nightly
def test_a_merged_base_is_judged_where_the_policy_allows_it(world):
    world.git("switch", "--quiet", "staging")
    policy = (
        (world.path / "ci/branches.yml").read_text().replace("    to: staging\n", "    to: staging\n    base: merged\n")
    )
    world.commit("Judge merges", ci__branches_yml=policy, other_txt="other\n")
    world.git("switch", "--quiet", "feature/x")
    world.promote("feature/x", "staging", "Grace")
    assert world.git("show", "staging:other.txt", "staging:code.txt") == "other\nfine and fast"
