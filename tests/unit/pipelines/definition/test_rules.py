"""The rules of structure, artifacts and actions, each on a small pipeline that is good but for one thing."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.fakes.catalog import complaints


def source(**changes: Any) -> dict[str, Any]:
    """A good Source action."""
    return {
        "name": "Checkout",
        "provider": "Git",
        "configuration": {"repository": "."},
        "outputArtifacts": ["Source"],
        "namespace": "Git",
    } | changes


def build(name: str = "Package", **changes: Any) -> dict[str, Any]:
    """A good Build action that only needs the source."""
    return {"name": name, "provider": "CodeBuild", "inputArtifacts": ["Source"]} | changes


def release(**changes: Any) -> dict[str, Any]:
    """A good Deploy action that only needs the source."""
    configuration = {"target": "local", "alias": "live"} | changes.pop("configuration", {})
    action = {"name": "Orders", "provider": "CodeDeploy", "inputArtifacts": ["Source"], "configuration": configuration}
    return action | changes


def pipeline(*later: list[dict[str, Any]], sources: list[dict[str, Any]] | None = None, **changes: Any) -> str:
    """A pipeline with a Source stage and one stage for each list of actions."""
    stages = [{"name": "Source", "actions": sources if sources is not None else [source()]}]
    stages += [{"name": f"Stage{number}", "actions": actions} for number, actions in enumerate(later, start=1)]
    return yaml.safe_dump({"version": 1, "name": "p", "targets": {"local": {}}, "stages": stages} | changes)


def only(text: str) -> str:
    """The one complaint about `text`."""
    found = complaints(text)
    assert len(found) == 1, found
    return found[0]


def test_the_small_pipeline_is_good() -> None:
    assert complaints(pipeline([build()], [release()])) == []


def test_two_stages_are_needed() -> None:
    assert "stages: needs at least 2, has 1" in only(pipeline())


def test_fifty_stages_are_the_most() -> None:
    assert complaints(pipeline(*[[build()] for _ in range(49)])) == []
    assert "stages: has 51, the most is 50" in only(pipeline(*[[build()] for _ in range(50)]))


def test_a_thousand_actions_are_the_most() -> None:
    crowd = [[build(f"Package{number}") for number in range(50)] for _ in range(20)]
    assert "more than 1000 actions" in only(pipeline(*crowd))


def test_a_pipeline_of_sources_alone_does_nothing() -> None:
    found = complaints(pipeline([source(name="Again", outputArtifacts=["Other"], namespace="Other")]))
    assert any("there is no action besides Source actions" in complaint for complaint in found)


def test_an_action_may_have_the_name_of_one_in_another_stage() -> None:
    assert complaints(pipeline([build()], [build()])) == []


def test_an_artifact_may_be_used_in_the_same_stage_after_it_was_made() -> None:
    made = build(outputArtifacts=["Zip"])
    used = build("Second", inputArtifacts=["Zip"], runOrder=2)
    assert complaints(pipeline([made, used])) == []
    assert "is produced by action 'Package', which runs at the same time" in only(
        pipeline([made, used | {"runOrder": 1}])
    )


def test_run_orders_and_not_the_order_of_the_file_decide() -> None:
    made = build(outputArtifacts=["Zip"])
    used = build("Second", inputArtifacts=["Zip"], runOrder=2)
    assert complaints(pipeline([used, made])) == []
    assert "only later, by action 'Package' (runOrder 3)" in only(pipeline([used, made | {"runOrder": 3}]))


def test_a_circle_of_artifacts_is_found() -> None:
    one = build("One", inputArtifacts=["B"], outputArtifacts=["A"], runOrder=1)
    two = build("Two", inputArtifacts=["A"], outputArtifacts=["B"], runOrder=2)
    assert "stages[1].actions[0].inputArtifacts[0]: the artifact 'B' is produced only later" in only(
        pipeline([one, two])
    )


def test_an_action_cannot_feed_itself() -> None:
    assert "by this action itself" in only(pipeline([build(inputArtifacts=["A"], outputArtifacts=["A"])]))


def test_an_input_is_named_once() -> None:
    assert "named twice" in only(pipeline([build(inputArtifacts=["Source", "Source"])]))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (build(inputArtifacts=[]), "CodeBuild takes 1 to 5 input artifacts, not 0"),
        (build(outputArtifacts=list("ABCDEF")), "CodeBuild takes 0 to 5 output artifacts, not 6"),
        (release(outputArtifacts=["Out"]), "CodeDeploy takes 0 output artifacts, not 1"),
    ],
)
def test_artifact_counts_fit_the_action_type(action: dict[str, Any], words: str) -> None:
    assert words in only(pipeline([action]))


def test_a_source_gives_exactly_one_artifact() -> None:
    text = pipeline([build()], sources=[source(outputArtifacts=["Source", "Second"])])
    assert "Git takes 1 output artifacts, not 2" in only(text)


def test_an_unknown_provider_is_the_only_complaint_about_its_action() -> None:
    odd = build(provider="Jenkins", configuration={"anything": 1}, commands=["x"], outputArtifacts=list("ABCDEFG"))
    complaint = only(pipeline([odd]))
    assert "there is no provider 'Jenkins'; known are: Git, CodeBuild" in complaint


@pytest.mark.parametrize("key", ["commands", "environmentVariables", "outputVariables"])
def test_some_keys_are_for_commands_alone(key: str) -> None:
    value: Any = {"A": "b"} if key == "environmentVariables" else ["x"]
    assert f"only the provider Commands has '{key}', not CodeBuild" in only(pipeline([build() | {key: value}]))


@pytest.mark.parametrize(("minutes", "good"), [(0.01, True), (86400, True), (86400.5, False), (0, False)])
def test_a_timeout_may_be_a_fraction_of_a_minute(minutes: float, good: bool) -> None:
    assert (complaints(pipeline([build(timeoutInMinutes=minutes)])) == []) is good


@pytest.mark.parametrize(("minutes", "good"), [(4.9, False), (5, True), (86400, True)])
def test_an_approval_waits_at_least_five_minutes(minutes: float, good: bool) -> None:
    approval = {"name": "Sign-off", "provider": "Manual", "timeoutInMinutes": minutes}
    assert (complaints(pipeline([build()], [approval])) == []) is good


def test_a_rollback_needs_a_stage_lock_and_an_earlier_stage() -> None:
    stages = yaml.safe_load(pipeline([build()]))["stages"]
    stages[1]["onFailure"] = {"result": "ROLLBACK"}
    assert complaints(pipeline(stages=stages, executionMode="SUPERSEDED")) == []
    assert "PARALLEL" in only(pipeline(stages=stages, executionMode="PARALLEL"))
    del stages[1]["onFailure"]
    stages[0]["onFailure"] = {"result": "ROLLBACK"}
    assert "the first stage cannot be rolled back" in only(pipeline(stages=stages))
    stages[0]["onFailure"] = {"result": "RETRY"}
    assert complaints(pipeline(stages=stages)) == []


def test_whole_numbers_may_be_written_as_json_schema_takes_them() -> None:
    text = pipeline([build(runOrder=2)]).replace("runOrder: 2", "runOrder: 2.0").replace("version: 1", "version: 1.0")
    assert complaints(text) == []


class TestConfiguration:
    """What the provider's own model says, at the exact place."""

    def test_a_mistake_deep_inside_has_its_path(self) -> None:
        complaint = only(pipeline([release(configuration={"alarms": ["a", {"name": "b", "threshold": -1}]})]))
        assert "stages[1].actions[0].configuration.alarms[1].threshold: must be greater than 0.0, not -1" in complaint

    def test_of_several_types_only_the_one_meant_is_spoken_of(self) -> None:
        complaint = only(pipeline([release(configuration={"alarms": [{"threshold": 1}]})]))
        assert "configuration.alarms[0]: the key 'name' is missing" in complaint
        complaint = only(pipeline([release(configuration={"deploymentConfig": 7})]))
        assert "configuration.deploymentConfig: must be text or a list, not 7" in complaint

    def test_the_model_s_own_words_are_kept(self) -> None:
        complaint = only(pipeline([release(configuration={"deploymentConfig": "AllAtOne"})]))
        assert complaint.endswith("'AllAtOne' is no deployment configuration; did you mean 'AllAtOnce'?")

    def test_rules_across_keys_are_asked_when_the_keys_are_good(self) -> None:
        assert "configuration.alias: $LATEST is no alias; name an alias" in only(
            pipeline([release(configuration={"alias": "$LATEST"})])
        )
        complaint = only(pipeline([release(configuration={"alias": "$LATEST", "bakeSeconds": "x"})]))
        assert "configuration.bakeSeconds" in complaint

    @pytest.mark.parametrize(
        "configuration",
        [
            {"bakeSeconds": "#{variables.wait}"},
            {"rollback": ["#{variables.wait}"]},
            {"deploymentConfig": "#{variables.wait}"},
            {"alarms": [{"name": "a", "threshold": "#{variables.wait}"}]},
            {"alarms": "#{variables.wait}"},
            {"target": "#{variables.wait}"},
            {"alias": "a-#{variables.wait}"},
        ],
    )
    def test_a_reference_may_stand_for_any_type(self, configuration: dict[str, Any]) -> None:
        assert complaints(pipeline([release(configuration=configuration)], variables={"wait": {}})) == []

    def test_a_reference_excuses_only_its_own_place(self) -> None:
        configuration = {"bakeSeconds": "#{variables.wait}", "rollback": ["NEVER"], "alais": "x"}
        found = complaints(pipeline([release(configuration=configuration)], variables={"wait": {}}))
        assert len(found) == 2
        assert "unknown key 'alais'" in found[0]
        assert "configuration.rollback[0]: must be one of" in found[1]

    def test_a_target_must_be_declared(self) -> None:
        assert "there is no target 'locale'; did you mean 'local'?" in only(
            pipeline([release(configuration={"target": "locale"})])
        )
        text = pipeline([release()]).replace("targets:\n  local: {}\n", "")
        assert "declare it under targets: there are none" in only(text)

    def test_the_test_s_target_is_looked_up_too(self) -> None:
        test = {"name": "T", "provider": "LambdaTest", "inputArtifacts": ["Source"]}
        configuration = {"events": "tests/events", "target": "elsewhere"}
        assert "there is no target 'elsewhere'" in only(pipeline([test | {"configuration": configuration}]))

    def test_a_huge_configuration_is_refused(self) -> None:
        assert "the most is 100000" in only(pipeline([build(configuration={"buildspec": "x" * 100_001})]))
