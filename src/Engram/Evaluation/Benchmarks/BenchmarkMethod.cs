using Engram.Learning;
using Engram.Models;
using Engram.Retention;

namespace Engram.Evaluation.Benchmarks;

/// <summary>A method as a published protocol runs it.</summary>
/// <param name="Name">Used on the command line, for example <c>ewc</c>.</param>
/// <param name="Title">Used in tables.</param>
/// <param name="Mechanisms">Makes new mechanisms with the protocol's settings for a scenario.</param>
public sealed record BenchmarkMethod(
    string Name, string Title, Func<Scenario, IReadOnlyList<RetentionMechanism>> Mechanisms)
{
    /// <summary>The scenarios in which the protocol runs it.</summary>
    public IReadOnlyList<Scenario> Scenarios { get; init; } =
        [Scenario.TaskIncremental, Scenario.DomainIncremental, Scenario.ClassIncremental];

    /// <summary>What the paper reports, by scenario, where it is recorded here.</summary>
    public IReadOnlyDictionary<Scenario, PublishedNumber> Published { get; init; } = new Dictionary<Scenario, PublishedNumber>();

    /// <summary>The backward transfer that the paper reports, in points, by scenario, where it is recorded here.</summary>
    public IReadOnlyDictionary<Scenario, PublishedNumber> PublishedTransfer { get; init; } = new Dictionary<Scenario, PublishedNumber>();

    /// <summary>Whether it learns all contexts at once, with the iterations of all: the upper bound.</summary>
    public bool AtOnce { get; init; }

    /// <summary>Whether, in class-incremental learning, classes get their outputs when they come, and not all at the start.</summary>
    public bool OutputsComeWithClasses { get; init; }

    /// <summary>The head it needs, for a number of features; null for a linear one.</summary>
    public Func<int, IncrementalHead>? Head { get; init; }

    /// <summary>The backbone it needs, for a number of inputs; null for the protocol's.</summary>
    public Func<int, Backbone>? Backbone { get; init; }

    /// <summary>Any strategy of the library at its defaults, beside the published ones.</summary>
    /// <param name="strategy">The strategy.</param>
    /// <param name="capacity">Samples its memory may keep, as much as the protocol's.</param>
    public static BenchmarkMethod Of(Strategy strategy, int capacity)
    {
        ArgumentNullException.ThrowIfNull(strategy);
        return new BenchmarkMethod(strategy.Name, strategy.Title, _ => strategy.Create(new StrategyBudget(capacity)))
        {
            Scenarios = strategy.Scenarios,
            Head = strategy.Head,
            Backbone = strategy.Backbone,
        };
    }

    /// <summary>The strategy that an <see cref="Experiment"/> runs.</summary>
    internal Strategy InScenario(Scenario scenario) =>
        new(Name, Title, Title, _ => Mechanisms(scenario)) { Head = Head, Backbone = Backbone, Scenarios = Scenarios };
}
