using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

/// <summary>Small learners on real digits, built alike again and again.</summary>
internal static class LearnerCases
{
    public static readonly LearnerOptions Options = new() { BatchSize = 16, Seed = 3 };

    public static ExperienceStream Digits { get; } = ExperienceStream.ClassIncremental(
        SubsetSource.Balanced(TestData.Mnist.Train, 12), TestData.Mnist.Test.Balanced(3),
        [Label.Numbers(0, 5), Label.Numbers(5, 3), Label.Numbers(8, 2)]);

    public static ContinualModel Model() => new(new Mlp(784, 24, 16));

    public static ContinualModel ModelWithDropout() => new(new ModuleBackbone(
        nn.Sequential(("flat", nn.Flatten()), ("fc", nn.Linear(784, 16)), ("norm", nn.BatchNorm1d(16)),
            ("drop", nn.Dropout(0.3))), 16, "test 784-16"));

    public static RetentionMechanism[] Mechanisms(string strategy) => strategy switch
    {
        "online" => [new Replay(new ReplayOptions { Capacity = 40, Online = true })],
        _ => [.. Strategies.Named(strategy).Create(new StrategyBudget(40) { GeneratorWidths = [16] })],
    };

    /// <summary>A model, options and stream that suit a strategy.</summary>
    public static (Func<ContinualModel> Model, LearnerOptions Options, Experience[] Stream) For(
        string strategy, Scenario? scenario = null)
    {
        var entry = Strategies.All.FirstOrDefault(entry => entry.Name == strategy) ?? Strategies.Named("replay");
        var options = Options with { Scenario = scenario ?? entry.Scenarios[0] };
        ContinualModel Build()
        {
            var backbone = entry.Backbone?.Invoke(784) ?? new Mlp(784, 24, 16);
            return new ContinualModel(backbone, entry.Head?.Invoke(backbone.FeatureCount));
        }
        return (Build, options, [.. Digits.Experiences.Select(experience => new Experience(
            experience.Index, experience.Train,
            options.Scenario == Scenario.TaskIncremental ? experience.Index : null))]);
    }

    public static Learner New(string strategy, Func<ContinualModel>? model = null, LearnerOptions? options = null) =>
        new(model ?? Model, options ?? Options, Mechanisms(strategy), new SlowClock());

    public static Learner Load(
        string path, string strategy, Func<ContinualModel>? model = null, LearnerOptions? options = null) =>
        Bundle.Load(path, model ?? Model, options ?? Options, Mechanisms(strategy), new SlowClock());

    /// <summary>All that a learner is, as the ids of its parts and what its manifest says of it.</summary>
    public static string Fingerprint(Learner learner)
    {
        using var folder = new TemporaryFolder();
        return Bundle.Save(learner, folder["fingerprint"]).Id;
    }

    /// <summary>Learns until some steps of an experience are done; the learner has a <see cref="SlowClock"/>.</summary>
    public static void Interrupt(Learner learner, Experience experience, int steps)
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => learner.Learn(
            experience, new AtStep(steps, stop.Cancel), stop.Token));
        Assert.Equal(steps, learner.Cursor!.Step);
    }

    /// <summary>A clock by which every step takes a second, so that every step is reported.</summary>
    public sealed class SlowClock : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now += TimestampFrequency;
    }

    /// <summary>Acts on the report of one step, on the learner's thread.</summary>
    public sealed class AtStep(int step, Action act) : IProgress<LearningProgress>
    {
        public void Report(LearningProgress value)
        {
            if (value.Step == step && value.Activity == "training") act();
        }
    }
}

/// <summary>A folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("engram-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
