using Engram.Learning;

namespace Engram.Retention;

/// <summary>A mechanism that can show what it would replay, or decide by.</summary>
public interface ISampleGenerator
{
    /// <summary>How many classes take turns in samples, in the order of their ids; 0 where samples come as they come.</summary>
    int ClassesInTurn { get; }

    /// <summary>Samples as they would be made now, to look at.</summary>
    /// <param name="count">How many.</param>
    /// <returns>float32 <c>[count, inputs]</c>, bytes as 0..1.</returns>
    /// <exception cref="InvalidOperationException">Nothing was learnt yet.</exception>
    Tensor Sample(int count);
}

/// <summary>Samples that a learner's mechanism makes, to look at.</summary>
public static class GeneratedSamples
{
    /// <summary>Samples of the first mechanism that generates some, by the learner's seed; what it learns later does not change by asking.</summary>
    /// <param name="learner">Has learnt.</param>
    /// <param name="rows">Samples of each class where classes take turns, and of each of ten columns where not.</param>
    /// <returns>float32 <c>[rows · columns, inputs]</c> in the caller's scope, and the columns; null where nothing is generated.</returns>
    public static (Tensor Samples, int Columns)? Of(Learner learner, int rows)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (learner.Mechanisms.OfType<ISampleGenerator>().FirstOrDefault() is not { } generator) return null;
        using var random = new TorchRandom(learner.Context.Options.Seed);
        var columns = generator.ClassesInTurn > 0 ? generator.ClassesInTurn : 10;
        return (generator.Sample(rows * columns), columns);
    }
}
