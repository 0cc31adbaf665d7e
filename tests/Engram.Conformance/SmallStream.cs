using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests;

namespace Engram.Conformance;

/// <summary>A stream of real digits, small enough that every strategy can run every check.</summary>
internal static class SmallStream
{
    public const int PerClass = 12;

    private static readonly IReadOnlyList<Label>[] s_groups =
        [Label.Numbers(0, 3), Label.Numbers(3, 2), Label.Numbers(5, 1)];

    public static Scenario ScenarioOf(Strategy strategy) => strategy.Scenarios[0];

    public static LearnerOptions Options(Scenario scenario, long seed = 0) =>
        new() { Scenario = scenario, BatchSize = 8, Epochs = 2, Seed = seed };

    public static ContinualModel Model(Strategy strategy)
    {
        var backbone = strategy.Backbone?.Invoke(784) ?? new Mlp(784, 32, 32);
        return new ContinualModel(backbone, strategy.Head?.Invoke(backbone.FeatureCount));
    }

    public static Learner Learner(
        Strategy strategy, LearnerOptions? options = null, int budget = 30, TimeProvider? clock = null) =>
        new(() => Model(strategy), options ?? Options(ScenarioOf(strategy)), Cases.Mechanisms(strategy, budget), clock);

    /// <summary>Teaches the three experiences with 12 samples of the first class, 8 of the second and 4 of others.</summary>
    public static void TeachUnequal(Learner learner, Scenario scenario)
    {
        foreach (var experience in Experiences(scenario))
        {
            var (train, taken) = (experience.Train, new int[experience.Train.Labels.Count]);
            int[] rows = [.. Enumerable.Range(0, train.Count).Where(row =>
                taken[train.Codes.Span[row]]++ < Math.Max(4, PerClass - (4 * train.Codes.Span[row])))];
            var unequal = new SubsetSource(train, rows);
            // A backbone that a mechanism would teach without labels learns the same without it.
            if (learner.Context.Model.Backbone is IUnlabelledBackbone { IsLearnt: false } backbone)
                backbone.LearnFrom(unequal, learner.Context.Model.Scaling, learner.Context.Options.Seed);
            learner.Learn(new Experience(experience.Index, unequal, experience.TaskId));
        }
    }

    /// <summary>Three experiences of 3, 2 and 1 classes; in task- and domain-incremental learning of 2 classes each.</summary>
    public static IReadOnlyList<Experience> Experiences(Scenario scenario) =>
        [.. Enumerable.Range(0, 3).Select(index => Experience(scenario, index))];

    public static Experience Experience(
        Scenario scenario, int index, int perClass = PerClass)
    {
        var source = Digits(scenario, index, TestData.Mnist.Train, perClass);
        return new Experience(index, source, TaskOf(scenario, index));
    }

    /// <summary>Whether digits are even, and small, as labels or as numbers; the last experience tells only whether they are odd.</summary>
    public static Experience OfValues(TargetKind kind, Scenario scenario, int index)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var digits = Digits(Scenario.ClassIncremental, index, TestData.Mnist.Train, PerClass);
        var inputs = digits.Gather([.. Enumerable.Range(0, digits.Count).Select(i => (long)i)]).Inputs;
        var values = digits.Codes.ToArray().Select(code => int.Parse(digits.Labels[code].Name, System.Globalization.CultureInfo.InvariantCulture));
        return new Experience(index, index < 2
            ? TensorSource.OfValues(inputs, TorchSharp.torch.tensor(values.SelectMany(v => new[] { 1f - (v % 2), v < 4 ? 1f : 0 }).ToArray()).view(-1, 2),
                ["even", "small"], kind)
            : TensorSource.OfValues(inputs, TorchSharp.torch.tensor(values.Select(v => (float)(v % 2)).ToArray()).view(-1, 1), ["odd"], kind),
            TaskOf(scenario, index));
    }

    public static EvaluationSet Test(Scenario scenario, int index) =>
        new($"test {index}", Digits(scenario, index, TestData.Mnist.Test.Samples, 10), TaskOf(scenario, index));

    /// <summary>The scores of every learnt experience's test digits, as one array to compare bit by bit.</summary>
    public static float[] Scores(Learner learner, Scenario scenario, int experiences)
    {
        var all = new List<float>();
        for (var index = 0; index < experiences; index++)
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            var source = Digits(scenario, index, TestData.Mnist.Test.Samples, 10);
            var inputs = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Inputs;
            all.AddRange(learner.Scores(inputs, TaskOf(scenario, index)).data<float>().ToArray());
        }
        return [.. all];
    }

    private static int? TaskOf(Scenario scenario, int index) =>
        scenario == Scenario.TaskIncremental ? index : null;

    private static ISampleSource Digits(Scenario scenario, int index, ISampleSource from, int perClass)
    {
        if (scenario == Scenario.ClassIncremental)
            return SubsetSource.Balanced(SubsetSource.WithLabels(from, [.. s_groups[index]]), perClass);
        var pair = SubsetSource.Balanced(SubsetSource.WithLabels(from, Label.Numbers(2 * index, 2)), perClass);
        return scenario == Scenario.TaskIncremental ? pair : new Relabelled(pair);
    }

    // Domain-incremental: the same two labels in every experience.
    private sealed class Relabelled(ISampleSource inner) : ISampleSource
    {
        public int Count => inner.Count;

        public IReadOnlyList<long> InputShape => inner.InputShape;

        public TorchSharp.torch.ScalarType InputType => inner.InputType;

        public TargetKind TargetKind => inner.TargetKind;

        public IReadOnlyList<Label> Labels { get; } = ["first", "second"];

        public ReadOnlyMemory<int> Codes => inner.Codes;

        public Batch Gather(ReadOnlySpan<long> indices) => inner.Gather(indices);
    }
}

/// <summary>A clock by which every step takes a second, so that every step is reported.</summary>
internal sealed class EveryStepClock : TimeProvider
{
    private long _now;

    public override long GetTimestamp() => _now += TimestampFrequency;
}

/// <summary>Counts something after every step of an experience.</summary>
internal sealed class StepCounts(Func<long> count) : IProgress<LearningProgress>
{
    private readonly Dictionary<long, long> _counts = [];

    public long At(long step) => _counts[step];

    public void Report(LearningProgress value)
    {
        if (value.Activity == "training") _counts[value.Step] = count();
    }
}

/// <summary>Cancels learning inside some steps of an experience, each once: while the step reads its samples.</summary>
/// <param name="inside">Steps, from 2, by the number of steps there are.</param>
/// <remarks>A step that reads them elsewhere (GDumb: in its memory) is cancelled when it is done.</remarks>
internal sealed class Stops(Func<long, long[]> inside) : IProgress<LearningProgress>
{
    private readonly HashSet<long> _made = [];
    private CancellationTokenSource? _source;
    private bool _due;

    /// <summary>The steps that it was cancelled in.</summary>
    public IReadOnlySet<long> Made => _made;

    /// <summary>Whether the experience was learnt to its end.</summary>
    public bool Learn(Learner learner, Experience experience)
    {
        using var source = _source = new CancellationTokenSource();
        try
        {
            learner.Learn(
                new Experience(experience.Index, new TransformedSource(experience.Train, Read), experience.TaskId), this, source.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Report(LearningProgress value)
    {
        if (value.Activity != "training") return;
        Stop();
        _due = inside(value.Steps).Contains(value.Step + 1) && _made.Add(value.Step + 1);
    }

    private TorchSharp.torch.Tensor Read(TorchSharp.torch.Tensor inputs)
    {
        Stop();
        return inputs;
    }

    private void Stop()
    {
        if (_due) _source!.Cancel();
        _due = false;
    }
}
