using Engram.Data;

namespace Engram.Evaluation;

/// <summary>Test samples. A type of its own, so that the compiler keeps test data away from whatever learns or tunes.</summary>
/// <param name="name">What to call it in reports.</param>
/// <param name="samples">The samples.</param>
/// <param name="taskId">The task they belong to, where it is given at test time.</param>
public sealed class EvaluationSet(string name, ISampleSource samples, int? taskId = null)
{
    /// <summary>What to call it in reports.</summary>
    public string Name { get; } = name;

    /// <summary>The task the samples belong to, where it is given at test time.</summary>
    public int? TaskId { get; } = taskId;

    /// <summary>How many samples there are.</summary>
    public int Count => Samples.Count;

    /// <summary>The labels in the samples.</summary>
    public IReadOnlyList<Label> Classes => Samples.Labels;

    internal ISampleSource Samples { get; } = samples;
}
