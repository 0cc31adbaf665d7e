using Engram.Learning;

namespace Engram.Retention;

/// <summary>What the class-incremental mechanisms that keep exemplars of their own need and refuse.</summary>
internal static class ExemplarMechanism
{
    public static string? WhyNot(LearnerOptions options) => options switch
    {
        { Scenario: not Scenario.ClassIncremental } =>
            $"keeps exemplars to tell old classes from new ones, expected class-incremental learning, not {options.Scenario}",
        { InitialLabels.Count: > 0 } => OutputsTellNewFromOld,
        _ => null,
    };

    /// <summary>Why a mechanism that calls new the classes whose outputs an experience added refuses initial labels.</summary>
    public const string OutputsTellNewFromOld =
        "tells new classes from old by the outputs that they add, expected InitialLabels to be empty";

    /// <summary>Two memories would keep and train on each other's samples.</summary>
    public static string? WhyNotBeside(RetentionMechanism other) => other.Seams.HasFlag(Seams.Samples)
        ? $"trains on exemplars of its own, expected no {other.Name} beside it"
        : null;

    /// <summary>Why a mechanism that repeats samples of a memory of its own refuses another that does; generated samples are none.</summary>
    public static string? SecondMemory(RetentionMechanism other) => other is not GeneratedReplay && other.Seams.HasFlag(Seams.Samples)
        ? $"repeats stored samples as {other.Name} does, expected one memory"
        : null;
}
