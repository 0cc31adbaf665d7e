using Engram.Learning;
using Engram.Retention;

namespace Engram.Evaluation;

/// <summary>Settings of <see cref="DigitsExperiment"/>.</summary>
public sealed record DigitsOptions
{
    /// <summary>The names that run unless others are asked for.</summary>
    public static IReadOnlyList<string> DefaultStrategies { get; } = ["naive", "ewc", "replay", "joint"];

    /// <summary>Names of the strategies, in the order they run; see <see cref="Retention.Strategies.All"/>.</summary>
    /// <value>Default <see cref="DefaultStrategies"/>.</value>
    public IReadOnlyList<string> Strategies { get; init; } = DefaultStrategies;

    /// <summary>Passes over each group of digits.</summary>
    /// <value>Default 1; 1 or more.</value>
    public int Epochs { get; init; } = 1;

    /// <summary>Seed of weights, order and every other choice.</summary>
    /// <value>Default 0; 0 or more.</value>
    public long Seed { get; init; }

    /// <summary>Samples a memory may keep.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Whether only a small balanced part of the data is used, for a first look and for checks.</summary>
    /// <value>Default false.</value>
    public bool Quick { get; init; }

    /// <summary>Training images of each digit in a quick run.</summary>
    /// <value>Default 500; 1 or more.</value>
    public int QuickTrain { get; init; } = 500;

    /// <summary>Test images of each digit in a quick run.</summary>
    /// <value>Default 100; 1 or more.</value>
    public int QuickTest { get; init; } = 100;

    /// <summary>The names of all strategies that suit classes that come one after another.</summary>
    public static IReadOnlyList<string> AllStrategies { get; } =
    [
        .. Retention.Strategies.All.Where(strategy => strategy.Scenarios.Contains(Scenario.ClassIncremental))
            .Select(strategy => strategy.Name),
    ];

    /// <summary>Checks every value.</summary>
    /// <returns>The strategies, in order.</returns>
    /// <exception cref="ArgumentException">Names the setting, its value and what was expected.</exception>
    public IReadOnlyList<Strategy> Validate()
    {
        AtLeastOne("epochs", Epochs);
        AtLeastOne("capacity", Capacity);
        AtLeastOne("quickTrain", QuickTrain);
        AtLeastOne("quickTest", QuickTest);
        if (Seed < 0) throw new ArgumentException($"seed: {Seed}, expected 0 or more");
        var known = string.Join(", ", AllStrategies);
        if (Strategies.Count == 0) throw new ArgumentException($"strategies: none, expected some of {known}");
        foreach (var name in Strategies)
            if (!AllStrategies.Contains(name))
                throw new ArgumentException($"strategies: \"{name}\" is unknown, expected some of {known}");
        if (Strategies.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"strategies: \"{twice.Key}\" occurs {twice.Count()} times, expected once");
        return [.. Strategies.Select(Retention.Strategies.Named)];
    }

    private static void AtLeastOne(string name, int value)
    {
        if (value < 1) throw new ArgumentException($"{name}: {value}, expected 1 or more");
    }
}
