using Engram.Data;

namespace Engram.Streams;

/// <summary>One slice of a stream, in order of arrival. It may be made long after the learner was.</summary>
/// <remarks>It carries no test data: tests live in <see cref="Evaluation.EvaluationSet"/>, which nothing that learns accepts.</remarks>
public sealed class Experience
{
    /// <summary>Creates an experience.</summary>
    /// <param name="index">Position in the stream, from 0; a learner refuses an index twice.</param>
    /// <param name="train">What to learn from; at least one sample.</param>
    /// <param name="taskId">
    /// The task, where it is known (needed in task-incremental learning, unless the samples tell theirs:
    /// <see cref="ISampleSource.LabelTasks"/>).
    /// </param>
    /// <param name="validation">Samples for early stopping and tuning.</param>
    /// <param name="name">What to call it in reports.</param>
    /// <exception cref="ArgumentException">A negative index or task, or an empty source.</exception>
    public Experience(
        int index, ISampleSource train, int? taskId = null, ISampleSource? validation = null, string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentNullException.ThrowIfNull(train);
        if (taskId is < 0) throw new ArgumentException($"taskId: {taskId}, expected 0 or more", nameof(taskId));
        if (taskId is not null && train.LabelTasks is not null)
            throw new ArgumentException($"taskId: {taskId} beside samples that tell their tasks, expected none", nameof(taskId));
        if (train.Count == 0)
            throw new ArgumentException($"train: experience {index} is empty, expected at least one sample", nameof(train));
        (Index, Train, TaskId, Validation) = (index, train, taskId, validation);
        Name = name ?? $"experience {index}";
    }

    /// <summary>Position in the stream, from 0.</summary>
    public int Index { get; }

    /// <summary>The task, where it is known.</summary>
    public int? TaskId { get; }

    /// <summary>What to call it in reports.</summary>
    public string Name { get; }

    /// <summary>The labels in the training samples.</summary>
    public IReadOnlyList<Label> Classes => Train.Labels;

    /// <summary>What to learn from.</summary>
    public ISampleSource Train { get; }

    /// <summary>Samples for early stopping and tuning, where there are any.</summary>
    public ISampleSource? Validation { get; }
}
