using System.Text.Json;
using Engram.Client;

namespace Engram.Server.Tests.Engine;

public sealed class SpecificationTests : ServiceTest
{
    private static readonly LearnerSpecification s_vector = new() { Name = "v", Input = new InputSchema { Kind = InputKind.Vector, Size = 4 } };

    public static TheoryData<LearnerSpecification, string> Wrong => new()
    {
        { s_vector with { Name = "Über" }, "name" },
        { s_vector with { Name = "../up" }, "name" },
        { s_vector with { Input = new InputSchema { Kind = InputKind.Vector } }, "input.size" },
        { s_vector with { Input = new InputSchema { Kind = InputKind.Image, Height = 2, Width = 2, Channels = 2 } }, "input.channels" },
        { s_vector with { Input = new InputSchema { Kind = InputKind.Text, Features = 1000 } }, "input.features" },
        { s_vector with { Input = new InputSchema { Kind = InputKind.Text, Features = 65_536 } }, "input.features" },
        { s_vector with { Input = new InputSchema { Kind = InputKind.Tabular } }, "input.columns" },
        { s_vector with { Model = new ModelSpecification { Kind = "tree" } }, "model.kind" },
        { s_vector with { Model = new ModelSpecification { PatchFilters = 8 } }, "model.patchFilters" },
        { s_vector with { Model = new ModelSpecification { Lambda = double.NaN } }, "model.lambda" },
        { s_vector with { Model = new ModelSpecification { Kind = "network", Strategy = "magic" } }, "model.strategy" },
        { s_vector with { Model = new ModelSpecification { Kind = "network", Strategy = "packnet" } }, "model.strategy" },
        { s_vector with { Model = Of("[7]") }, "model.mechanisms[0]" },
        { s_vector with { Model = Of("""["replay", "magic"]""") }, "model.mechanisms[1]" },
        { s_vector with { Model = Of("""["\ud800"]""") }, "model.mechanisms[0]" },
        { s_vector with { Model = Of("""[{"ewc": {"lamda": 1}}]""") }, "model.mechanisms[0].ewc.lamda" },
        { s_vector with { Model = Of("""[{"ewc": {"lambda": "much"}}]""") }, "model.mechanisms[0].ewc.lambda" },
        { s_vector with { Model = Of("""[{"replay": {"capacity": 0}}]""") }, "model.mechanisms[0].replay" },
        { s_vector with { Model = Of("""["replay", "der++"]""") }, "model.mechanisms" },
        { s_vector with { Model = Of("""["packnet"]""") }, "model.mechanisms" },
        { s_vector with { Model = Of("""["compressed-replay"]""") }, "model.mechanisms" },
        { s_vector with { Model = new ModelSpecification { Kind = "network", Backbone = "digits-cnn" } }, "model.backbone" },
        { s_vector with { Model = new ModelSpecification { Kind = "network", Hidden = [0] } }, "model.hidden[0]" },
        { s_vector with { Learning = new LearningPolicy { CpuShare = 0 } }, "learning.cpuShare" },
        { s_vector with { Learning = new LearningPolicy { HoldOut = 0.6 } }, "learning.holdOut" },
        { s_vector with { Gate = new GateSpecification { CanaryPercent = 101 } }, "gate.canaryPercent" },
        { s_vector with { Retention = new RetentionPolicy { Versions = 0 } }, "retention.versions" },
        { s_vector with { Seed = -1 }, "seed" },
    };

    private static ModelSpecification Of(string mechanisms) =>
        new() { Kind = "network", Hidden = [20], Epochs = 1, Mechanisms = [.. JsonElement.Parse(mechanisms).EnumerateArray()] };

    [Fact]
    public async Task A_network_has_the_mechanisms_that_are_listed_also_after_a_restart()
    {
        var learner = await Create(Ridge with { Model = Of("""[{"ewc": {"lambda": 100}}, {"replay": {"capacity": 30, "balance": "class"}}]""") });
        await Teach(learner, 40, 0, 1);
        Assert.Equal(30, learner.Watch().Memory.Sum(known => known.Stored));

        learner = await Reopened();

        Assert.Equal(2, (await Teach(learner, 40, 2)).Version); // from the bundle, whose mechanisms are the same
        Assert.Equal(30, learner.Watch().Memory.Sum(known => known.Stored));
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_field_is_named(LearnerSpecification specification, string field)
    {
        var problem = await Assert.ThrowsAsync<SpecificationException>(() => Create(specification));

        Assert.Equal(field, problem.Field);
        Assert.StartsWith(field + ": ", problem.Message, StringComparison.Ordinal);
        Assert.Contains("expected", problem.Message, StringComparison.Ordinal);
        Assert.Empty(Service.Learners);
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        await Create(s_vector);

        await Assert.ThrowsAsync<ConflictException>(() => Create(s_vector));
    }

    [Theory]
    [InlineData("ridge")]
    [InlineData("ranpac")]
    [InlineData("slda")]
    [InlineData("fecam")]
    [InlineData("ncm")]
    [InlineData("patches")]
    public async Task Every_closed_form_learns_and_answers(string kind)
    {
        var learner = await Create(Ridge with
        {
            Model = kind switch
            {
                "patches" => new ModelSpecification { PatchFilters = 16 },
                "ranpac" or "fecam" => new ModelSpecification { Kind = kind, RandomFeatures = 300 },
                _ => new ModelSpecification { Kind = kind },
            },
        });

        await Teach(learner, 60, 0, 1);
        await Teach(learner, 60, 2);

        var accuracy = await Digits.AccuracyOf(learner, 0, 1, 2);
        Assert.True(accuracy > 0.85, $"{accuracy}");
    }
}
