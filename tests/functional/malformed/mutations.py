"""A hundred ways to spoil a good pipeline file, each with the line and the words the complaint must have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GOOD = Path(__file__).parents[2] / "data" / "pipelines" / "good.yaml"


@dataclass(frozen=True)
class Mutation:
    """`old` (its `nth` occurrence) becomes `new`; the complaint is on the line of `at`, counted on by `below`."""

    name: str
    old: str
    new: str
    at: str
    says: str
    nth: int = 1
    below: int = 0

    def apply(self, text: str) -> str:
        """The spoilt text."""
        parts = text.split(self.old)
        assert len(parts) > self.nth, f"{self.name}: {self.old!r} is not in the file {self.nth} times"
        return self.old.join(parts[: self.nth]) + self.new + self.old.join(parts[self.nth :])

    def line(self, spoilt: str) -> int:
        """The line that must be named: where `at` first stands."""
        index = spoilt.find(self.at)
        assert index >= 0, f"{self.name}: {self.at!r} is not in the spoilt file"
        return spoilt.count("\n", 0, index) + 1 + self.below


PACKAGE = """        inputArtifacts: [Source]
        outputArtifacts: [Package]
"""
LATE_PACKAGE = """        inputArtifacts: [Late]
        outputArtifacts: [Package]
      - name: Second
        provider: CodeBuild
        runOrder: 3
        inputArtifacts: [Source]
        outputArtifacts: [Late]
      - name: Third
        provider: CodeBuild
        inputArtifacts: [Source]
"""
ORDERS = "      - name: Orders\n        provider: CodeDeploy\n"

MUTATIONS = (
    # Syntax and keys
    Mutation("tab indentation", "  local: {}", "\tlocal: {}", "\tlocal", ""),
    Mutation("unclosed list", "[canary, allAtOnce]", "[canary, allAtOnce", "ticket", ""),
    Mutation("unclosed quote", "- orders-errors", "- 'orders-errors", "rollback: [DEPL", "end of stream", below=1),
    Mutation(
        "variable in a comment", "export WORD=done", "export WORD=#{Build.X} #{Build.Y}", "#{Build.Y}", "is a comment"
    ),
    Mutation("colon in plain text", "buildspec: buildspec.yml", "buildspec: a: b", "buildspec: a: b", ""),
    Mutation("unknown tag", "version: 1", "version: !one 1", "!one", "tag"),
    Mutation("second document", "name: orders\n", "name: orders\n---\n", "---", ""),
    Mutation("undefined alias", "target: local", "target: *somewhere", "*somewhere", ""),
    Mutation("duplicate top key", "executionMode: QUEUED", "executionMode: QUEUED\nname: again", "again", "here twice"),
    Mutation(
        "duplicate action key",
        "        runOrder: 2\n",
        "        runOrder: 2\n        runOrder: 3\n",
        "runOrder: 3",
        "here twice",
    ),
    Mutation("number as key", "variables:\n", "variables:\n  3: {}\n", "  3: {}", ""),
    Mutation("control character", "how to release", "how to \x07 release", "how to", "U+0007"),
    Mutation("unknown top key", "executionMode:", "executionMod:", "executionMod:", "did you mean 'executionMode'?"),
    Mutation(
        "unknown variable key",
        "    default: canary",
        "    defaultValue: canary",
        "defaultValue",
        "did you mean 'default'?",
    ),
    Mutation("unknown target key", "    region: eu", "    regoin: eu", "regoin", "did you mean 'region'?"),
    Mutation("unknown trigger key", "- schedule:", "- shedule:", "shedule", "did you mean 'schedule'?"),
    Mutation("unknown push key", "      filePaths:", "      filepaths:", "filepaths", "did you mean 'filePaths'?"),
    Mutation("unknown filter key", "tags: {includes:", "tags: {include:", "include: ", "did you mean 'includes'?"),
    Mutation("unknown schedule key", "catchUp:", "catchup:", "catchup", "did you mean 'catchUp'?"),
    Mutation(
        "unknown stage key",
        "  - name: Test\n    actions:",
        "  - name: Test\n    action:",
        "action:",
        "did you mean 'actions'?",
    ),
    Mutation(
        "unknown failure key", "      result: ROLLBACK", "      results: ROLLBACK", "results", "did you mean 'result'?"
    ),
    Mutation(
        "unknown action key",
        "outputArtifacts: [Package]",
        "outputArtefacts: [Package]",
        "outputArtefacts",
        "did you mean",
    ),
    Mutation("unknown configuration key", "alias: live", "alais: live", "alais", "did you mean 'alias'?"),
    Mutation(
        "unknown nested configuration key", "threshold: 2.5", "treshold: 2.5", "treshold", "did you mean 'threshold'?"
    ),
    Mutation(
        "unknown hook", "BeforeAllowTraffic", "BeforeTraffic", "BeforeTraffic", "did you mean 'BeforeAllowTraffic'?"
    ),
    # Missing things
    Mutation("no version", "version: 1\n", "", "name: orders", "'version' is missing"),
    Mutation("no name", "name: orders\n", "", "version: 1", "'name' is missing"),
    Mutation("no stages", "stages:\n", "  - push:\n", "version: 1", "'stages' is missing"),
    Mutation(
        "no stage name", "  - name: Test\n    actions:", "  - actions:", "name: Events", "'name' is missing", below=-1
    ),
    Mutation(
        "no action name",
        "      - name: Events\n        provider",
        "      - provider",
        "provider: LambdaTest",
        "'name' is",
    ),
    Mutation("no provider", "        provider: LambdaTest\n", "", "name: Events", "'provider' is missing"),
    Mutation("no cron", '      cron: "0 6 * * MON-FRI"\n', "", "timezone:", "'cron' is missing"),
    Mutation("no result", "      result: RETRY\n", "", "retryConfiguration", "'result' is missing"),
    Mutation("no alias", "          alias: live\n", "", "target: production", "'alias' is missing"),
    Mutation("no events", "          events: tests/events\n", "", "          target: local", "'events' is missing"),
    Mutation("no commands", "        commands:\n", "        provided:\n", "name: Announce", "'commands' is missing"),
    Mutation("empty name", "name: orders\n", "name:\n", "name:", "must be text, not empty"),
    Mutation(
        "empty stages", "stages:\n  - name: Source", "stages: []\nrest:\n  - name: Source", "stages: []", "at least 2"
    ),
    Mutation(
        "empty actions",
        "  - name: Test\n    actions:\n",
        "  - name: Test\n    actions: []\n    more:\n",
        "actions: []",
        "at least 1",
    ),
    Mutation("empty filter", 'tags: {includes: ["v*"]}', "tags: {}", "tags: {}", "needs includes or excludes"),
    Mutation("empty includes", 'tags: {includes: ["v*"]}', "tags: {includes: []}", "includes: []", "at least 1"),
    # Wrong types and values
    Mutation("other version", "version: 1", "version: 2", "version: 2", "must be 1"),
    Mutation("version as text", "version: 1", 'version: "1"', "version", "must be 1"),
    Mutation("version true", "version: 1", "version: true", "version", "must be 1"),
    Mutation("name as number", "name: orders", "name: 7", "name: 7", "put it in quotes"),
    Mutation("name with a blank", "name: orders", "name: our orders", "our orders", "letters, digits"),
    Mutation("name too long", "name: orders", f"name: {'o' * 101}", "ooo", "the most is 100"),
    Mutation("unknown execution mode", "QUEUED", "QUEUEING", "QUEUEING", "did you mean 'QUEUED'?"),
    Mutation("variables as a list", "variables:\n", "variables: [a]\nold:\n", "variables: [a]", "write a mapping"),
    Mutation("variable as text", "  ticket: {}", "  ticket: T-1", "ticket: T-1", "must be a mapping"),
    Mutation("default as number", "default: canary", "default: 10", "default: 10", "put it in quotes"),
    Mutation("default not allowed", "default: canary", "default: canari", "canari", "did you mean 'canary'?"),
    Mutation("variable name", "  ticket: {}", "  tick et: {}", "tick et", "letters, digits"),
    Mutation("region", "region: eu-west-1", "region: Europe West", "Europe West", "such as eu-west-1"),
    Mutation("role", "arn:aws:iam::123456789012:role/release", "release", 'roleArn: "release"', "ARN"),
    Mutation("endpoint", "endpointUrl: null", "endpointUrl: localhost:4566", "localhost", "http://"),
    Mutation(
        "trigger as text",
        "  - push:\n      tags:",
        "  - push\n  - push:\n      tags:",
        "  - push\n",
        "must be a mapping",
    ),
    Mutation("pattern as number", '["v*"]', "[1]", "[1]", "put it in quotes"),
    Mutation(
        "actions as a mapping",
        "  - name: Test\n    actions:\n      - ",
        "  - name: Test\n    actions:\n        ",
        "  name: Events",
        "must be a list",
    ),
    Mutation(
        "stage as text",
        "  - name: Test\n    actions:\n",
        "  - Test\n  - name: Test\n    actions:\n",
        "- Test\n",
        "must be a mapping",
    ),
    Mutation("run order zero", "runOrder: 2", "runOrder: 0", "runOrder: 0", "at least 1"),
    Mutation("run order too great", "runOrder: 2", "runOrder: 1000", "runOrder: 1000", "at most 999"),
    Mutation("run order fraction", "runOrder: 2", "runOrder: 1.5", "runOrder: 1.5", "whole number"),
    Mutation("timeout as text", "timeoutInMinutes: 1440", "timeoutInMinutes: 1 day", "1 day", "must be a number"),
    Mutation(
        "timeout negative", "timeoutInMinutes: 2.5", "timeoutInMinutes: -1", "timeoutInMinutes: -1", "greater than 0"
    ),
    Mutation(
        "approval too short",
        "timeoutInMinutes: 1440",
        "timeoutInMinutes: 1",
        "timeoutInMinutes: 1\n",
        "at least 5 minutes",
    ),
    Mutation("failure result", "result: ROLLBACK", "result: ROLLBAK", "ROLLBAK", "did you mean 'ROLLBACK'?"),
    Mutation("retry mode", "retryMode: FAILED_ACTIONS", "retryMode: FAILED", "retryMode: FAILED", "FAILED_ACTIONS"),
    Mutation(
        "retry configuration beside rollback",
        "result: RETRY",
        "result: ROLLBACK",
        "retryConfiguration",
        "only for result: RETRY",
    ),
    Mutation(
        "artifact in long form",
        "outputArtifacts: [Package]",
        "outputArtifacts: [{name: Package}]",
        "{name: Package}",
        "write the name itself",
    ),
    Mutation(
        "artifact name",
        "outputArtifacts: [Package]",
        "outputArtifacts: [The.Package]",
        "The.Package",
        "letters, digits",
    ),
    Mutation(
        "environment as a list",
        'TICKET: "#{variables.ticket}"',
        "- {name: TICKET, value: x}",
        "- {name: TICKET",
        "write a mapping",
    ),
    Mutation(
        "configuration as text",
        "configuration: {repository: ., branch: main}",
        "configuration: main",
        "configuration: main",
        "must be a mapping",
    ),
    Mutation(
        "configuration type", "bakeSeconds: 5", "bakeSeconds: five", "bakeSeconds: five", "must be a whole number"
    ),
    Mutation(
        "configuration member",
        "[DEPLOYMENT_FAILURE]",
        "[DEPLOYMENT_FAILED]",
        "DEPLOYMENT_FAILED",
        "did you mean 'DEPLOYMENT_FAILURE'?",
    ),
    Mutation("configuration bound", "threshold: 2.5", "threshold: 0", "threshold: 0", "greater than 0"),
    Mutation("configuration rule", "alias: live", "alias: $LATEST", "$LATEST", "name an alias"),
    Mutation("configuration of neither type", "- orders-errors", "- 17", "- 17", "text or a mapping"),
    # Names that must be unique, known, and in order
    Mutation("stage twice", "- name: Approve", "- name: Test", "name: Sign-off", "used twice", below=-2),
    Mutation("action twice", "name: Announce", "name: Package", "provider: Commands", "used twice", below=-1),
    Mutation(
        "artifact twice",
        "        runOrder: 2\n",
        "        runOrder: 2\n        outputArtifacts: [Package]\n",
        "runOrder: 2",
        "produced twice",
        below=1,
    ),
    Mutation(
        "namespace twice",
        "namespace: Announced",
        "namespace: BuildVariables",
        "timeoutInMinutes: 2.5",
        "used twice",
        below=-1,
    ),
    Mutation(
        "namespace reserved", "namespace: Announced", "namespace: codepipeline", "namespace: codepipeline", "reserved"
    ),
    Mutation(
        "namespace like an artifact",
        "namespace: Announced",
        "namespace: Package",
        "namespace: Package",
        "name of an artifact",
    ),
    Mutation(
        "unknown provider", "provider: LambdaTest", "provider: LamdaTest", "LamdaTest", "did you mean 'LambdaTest'?"
    ),
    Mutation("unknown target", "target: production", "target: prodution", "prodution", "did you mean 'production'?"),
    Mutation(
        "unknown artifact",
        "inputArtifacts: [Source]",
        "inputArtifacts: [Sources]",
        "Sources]",
        "did you mean 'Source'?",
    ),
    Mutation("artifact at the same time", "        runOrder: 2\n", "", "name: Announce", "at the same time", below=2),
    Mutation("artifact only later", PACKAGE, LATE_PACKAGE, "inputArtifacts: [Late]", "only later"),
    Mutation(
        "too many inputs",
        ORDERS + "        inputArtifacts: [Package]",
        ORDERS + "        inputArtifacts: [Package, Source]",
        "[Package, Source]",
        "takes 1 input",
    ),
    Mutation("no input", ORDERS + "        inputArtifacts: [Package]\n", ORDERS, "name: Orders", "takes 1 input"),
    Mutation(
        "source later", "provider: LambdaTest", "provider: Git", "name: Events", "not in the first stage", below=1
    ),
    Mutation(
        "other action first",
        "provider: Git\n",
        "provider: Manual\n",
        "provider: Manual",
        "may only hold Source actions",
    ),
    Mutation(
        "commands of a build",
        "          buildspec: buildspec.yml\n",
        "          buildspec: buildspec.yml\n        commands: [make]\n",
        "commands: [make]",
        "only the provider Commands",
    ),
    Mutation(
        "rollback of the source",
        "  - name: Source\n",
        "  - name: Source\n    onFailure: {result: ROLLBACK}\n",
        "onFailure: {",
        "cannot be rolled back",
    ),
    Mutation(
        "rollback in parallel", "executionMode: QUEUED", "executionMode: PARALLEL", "result: ROLLBACK", "PARALLEL"
    ),
    # Variables
    Mutation("unknown pipeline variable", "#{variables.level}", "#{variables.levl}", "levl", "did you mean 'level'?"),
    Mutation("unknown namespace", "#{Announced.WORD}", "#{Anounced.WORD}", "Anounced", "did you mean 'Announced'?"),
    Mutation(
        "unknown key",
        "#{SourceVariables.CommitId}",
        "#{SourceVariables.CommitID}",
        "CommitID",
        "did you mean 'CommitId'?",
    ),
    Mutation("unknown exported word", "#{Announced.WORD}", "#{Announced.WARD}", "WARD", "did you mean 'WORD'?"),
    Mutation("unknown system variable", "PipelineExecutionId", "ExecutionId", "codepipeline.", "PipelineExecutionId"),
    Mutation(
        "variable too early", "buildspec: buildspec.yml", 'buildspec: "#{Announced.WORD}"', "buildspec: ", "only later"
    ),
    Mutation(
        "variable in a source",
        "branch: main}",
        'branch: "#{variables.level}"}',
        "branch: ",
        "cannot be used in Source actions",
    ),
    Mutation(
        "variable in a default",
        "default: canary",
        'default: "#{variables.ticket}"',
        "default: ",
        "cannot be used in a variable's",
    ),
    Mutation("variable without namespace", "#{variables.level}", "#{level}", "#{level}", "write #{variables.level}"),
    Mutation("variable not closed", "#{variables.level}", "#{variables.level", "#{variables.level", "not closed"),
    # Triggers
    Mutation(
        "tags beside branches",
        "      filePaths:",
        "      tags: {includes: [a]}\n      filePaths:",
        "tags: {includes: [a]}",
        "cannot be combined",
    ),
    Mutation("files alone", '      branches: {includes: [main, "release/*"]}\n', "", "filePaths:", "needs branches"),
    Mutation("two keys in a trigger", "  - schedule:", "    schedule:", "- push:\n      tags", "one key", below=0),
    Mutation("pattern not closed", '"release/*"', '"release/[a"', "release/[a", "not closed"),
    Mutation("nested alternatives", '"v*"', '"{a,{b,c}}"', "{a,{b", "nested"),
    Mutation("six cron fields", '"0 6 * * MON-FRI"', '"0 0 6 * * MON-FRI"', "cron:", "5 fields"),
    Mutation("cron out of range", '"0 6 * * MON-FRI"', '"0 24 * * MON-FRI"', "cron:", "bad hour"),
    Mutation("cron that never comes", '"0 6 * * MON-FRI"', '"0 6 30 2 *"', "cron:", "cron"),
    Mutation("unknown time zone", "Europe/Paris", "Europe/Pariss", "Pariss", "did you mean 'Europe/Paris'?"),
    Mutation("catch-up", "catchUp: latest", "catchUp: last", "catchUp: last", "did you mean 'latest'?"),
    # What CodePipeline has and this version has not
    Mutation(
        "webhook",
        "- schedule:",
        "- webhook: {provider: github}\n  - schedule:",
        "- webhook",
        "not supported by this version",
    ),
    Mutation(
        "pull request",
        "- schedule:",
        "- pullRequest: {}\n  - schedule:",
        "- pullRequest",
        "not supported by this version",
    ),
    Mutation(
        "entry condition",
        "- name: Test\n",
        "- name: Test\n    beforeEntry: {conditions: []}\n",
        "beforeEntry",
        "not supported by",
    ),
    Mutation(
        "success condition",
        "- name: Test\n",
        "- name: Test\n    onSuccess: {conditions: []}\n",
        "onSuccess",
        "not supported by",
    ),
    Mutation(
        "failure condition",
        "result: ROLLBACK",
        "result: ROLLBACK\n      conditions: []",
        "conditions",
        "not supported by",
    ),
    Mutation(
        "cross-region action",
        "        runOrder: 2\n",
        "        runOrder: 2\n        region: eu-west-3\n",
        "region: eu-west-3",
        "not supported by",
    ),
    Mutation(
        "artifact store",
        "name: orders\n",
        "name: orders\nartifactStore: {type: S3}\n",
        "artifactStore",
        "not supported by",
    ),
    Mutation(
        "action type in long form",
        "        provider: Manual",
        "        actionTypeId: {provider: Manual}",
        "actionTypeId",
        "write provider:",
    ),
)
