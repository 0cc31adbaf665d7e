using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

/// <summary>
/// Small bundles of every version of the format, kept in the repository: <c>Fixtures/v1/mlp</c> and so on, each beside the
/// scores that its learner gave when it was written. Data come from formulas, so that nothing else must stay as it was.
/// </summary>
internal static class VersionFixtures
{
    /// <summary>What there is of a version; mechanisms that predict or have a teacher since the second.</summary>
    public static string[] NamesOf(int version) => version == 1 ? ["mlp", "batch-norm"] : ["mlp", "batch-norm", "icarl", "si+lwf"];

    public static string Folder { get; } = Path.Combine(TestData.Root, "tests", "Engram.Tests", "Persistence", "Fixtures");

    public static string PathOf(int version, string name) => Path.Combine(Folder, $"v{version}", name);

    public static string ScoresOf(int version, string name) => Path.Combine(Folder, $"v{version}", $"{name}.scores.json");

    public static Learner New(string name) => name switch
    {
        "mlp" => new Learner(
            () => new ContinualModel(new Mlp(6, 4)), new LearnerOptions { BatchSize = 4 },
            [new ElasticWeightConsolidation(), new Replay(new ReplayOptions { Capacity = 10 })], new LearnerCases.SlowClock()),
        "batch-norm" => new Learner(
            () => new ContinualModel(new ModuleBackbone(
                nn.Sequential(("fc", nn.Linear(6, 4)), ("norm", nn.BatchNorm1d(4)), ("relu", nn.ReLU())), 4, "fixture 6-4")),
            new LearnerOptions { BatchSize = 4, Epochs = 2 }, clock: new LearnerCases.SlowClock()),
        "icarl" => new Learner(
            () => new ContinualModel(new Mlp(6, 4)), new LearnerOptions { BatchSize = 4 },
            [new Icarl(new ExemplarOptions { PerClass = 2 })], new LearnerCases.SlowClock()),
        "si+lwf" => new Learner(
            () => new ContinualModel(new Mlp(6, 4)), new LearnerOptions { BatchSize = 4, Epochs = 2 },
            [new SynapticIntelligence(), new LearningWithoutForgetting()], new LearnerCases.SlowClock()),
        _ => throw new ArgumentException($"name: {name}, expected one of {string.Join(", ", NamesOf(Bundle.FormatVersion))}"),
    };

    /// <summary>The learner as it was saved: one experience learnt; those of two epochs also stopped in the second.</summary>
    public static Learner Taught(string name)
    {
        using var scope = NewDisposeScope();
        var learner = New(name);
        learner.Teach(Experience(0));
        if (learner.Context.Options.Epochs == 2) LearnerCases.Interrupt(learner, Experience(1), 3);
        return learner;
    }

    /// <summary>Twelve samples of six bytes, or of another shape, three labels.</summary>
    public static Experience Experience(int index, params long[] shape) => new(index, TensorSource.OfClasses(
        Bytes(12, index, shape), [.. Enumerable.Range(0, 12).Select(i => (Label)((2 * index) + (i % 3)))]));

    /// <summary>What the scores are given for.</summary>
    public static Tensor Probe(params long[] shape) => Bytes(5, 9, shape);

    public static float[] Scores(Learner learner, int? task = null, params long[] shape)
    {
        using var scope = NewDisposeScope();
        return learner.Scores(Probe(shape), task).data<float>().ToArray();
    }

    private static Tensor Bytes(int count, int seed, long[] shape)
    {
        if (shape is []) shape = [6];
        var size = shape.Aggregate(1, (product, side) => product * (int)side);
        return tensor(
            Enumerable.Range(0, size * count).Select(i => (byte)((i * 37) + (i * i % 11 * 13) + (seed * 101))).ToArray(), [count, .. shape]);
    }
}
