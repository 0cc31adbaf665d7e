using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Evaluation.Tuning;

public sealed class ContinualTuningTests : IDisposable
{
    private static readonly SubsetSource s_digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 60), Label.Numbers(0, 6));
    private static readonly Label[][] s_groups = [Label.Numbers(0, 2), Label.Numbers(2, 2), Label.Numbers(4, 2)];

    private readonly string _folder = Directory.CreateTempSubdirectory("engram-").FullName;

    [Fact]
    public void The_strength_decays_until_the_new_is_learnt_well_enough_and_the_rate_is_the_most_plastic()
    {
        var attempts = new List<ContinualAttempt>();
        var choices = Procedure(Options(strength: 1e9) with { Drop = 0.02 }, "a").Run(attempts.Add);

        Assert.Equal(3, choices.Count);
        foreach (var choice in choices)
        {
            var tried = choice.Attempts.Where(attempt => attempt.Strength is null).ToArray();
            Assert.Equal(choice.Plastic, tried.Max(attempt => attempt.New));
            Assert.Equal(tried.First(attempt => attempt.New == choice.Plastic).Rate, choice.Kept.Rate);
            if (choice.Position == 0) continue;
            var held = choice.Attempts.Where(attempt => attempt.Strength is not null).ToArray();
            Assert.Equal(held.Select((_, i) => 1e9 * Math.Pow(0.1, i)), held.Select(attempt => attempt.Strength!.Value), (a, b) => Math.Abs((a / b) - 1) < 1e-9);
            Assert.All(held.SkipLast(1), attempt => Assert.True(attempt.New < 0.98 * choice.Plastic));
            Assert.True(held.Length == 12 || held[^1].New >= 0.98 * choice.Plastic);
            Assert.Same(held[^1], choice.Kept);
        }
        // So strong a hold must have cost new learning: else this has tested nothing.
        Assert.Contains(choices, choice => choice.Attempts.Count(attempt => attempt.Strength is not null) > 1);
        Assert.Equal(attempts, choices.SelectMany(choice => choice.Attempts));
    }

    [Fact]
    public void Stopped_after_any_attempt_it_goes_on_to_the_same_choices()
    {
        var whole = Choices(Procedure(Options(1e4), "whole").Run());
        var runs = 0;
        for (IReadOnlyList<ContinualChoice> choices = []; choices.Count < 3; runs++)
        {
            using var stop = new CancellationTokenSource();
            choices = Procedure(Options(1e4), "cut").Run(
                attempt =>
                {
                    // One further attempt each time: those before are told again and not made again.
                    if (!File.Exists(Path.Combine(_folder, "told", $"{attempt.Position}-{attempt.Number}"))) stop.Cancel();
                    Directory.CreateDirectory(Path.Combine(_folder, "told"));
                    File.WriteAllText(Path.Combine(_folder, "told", $"{attempt.Position}-{attempt.Number}"), "");
                },
                cancellationToken: stop.Token);
            if (choices.Count == 3) Assert.Equal(whole, Choices(choices));
            Assert.True(runs < 100);
        }
        Assert.True(runs > 5);
    }

    [Theory]
    [InlineData(0, 0.5, 0.2, "Strength: 0")]
    [InlineData(1, 1, 0.2, "Decay: 1")]
    [InlineData(1, 0.5, 1, "Drop: 1")]
    public void Options_out_of_range_are_refused(double strength, double decay, double drop, string said) =>
        Assert.Contains(said, Assert.Throws<ArgumentException>(() => new ContinualTuningOptions
        { Rates = [0.1], Strength = strength, Decay = decay, Drop = drop }.Validate()).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ContinualTuningOptions Options(double strength) =>
        new() { Rates = [0.01, 0.0001], Strength = strength, Decay = 0.1, Attempts = 12 };

    private ContinualTuning Procedure(ContinualTuningOptions options, string place) => new(
        new TuningData(ExperienceStream.ClassIncremental(s_digits, new EvaluationSet("test", s_digits), s_groups).Experiences, 0.3, seed: 1), options,
        (rate, strength) => new AttemptSettings(
            () => new ContinualModel(new Mlp(784, 32)),
            new LearnerOptions { BatchSize = 10, Epochs = 2, Optimizer = new AdamOptions { LearningRate = rate } },
            strength is { } held ? [new ElasticWeightConsolidation(new EwcOptions { Lambda = held })] : []),
        Path.Combine(_folder, place));

    private static string[] Choices(IReadOnlyList<ContinualChoice> choices) =>
        [.. choices.SelectMany(choice => choice.Attempts.Select(attempt => $"{attempt with { Seconds = 0 }}"))];
}
