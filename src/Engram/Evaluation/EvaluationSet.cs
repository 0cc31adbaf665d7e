using Engram.Data;

namespace Engram.Evaluation;

/// <summary>Test samples. A type of its own, so that the compiler keeps test data away from whatever learns or tunes.</summary>
/// <param name="name">What to call it in reports.</param>
/// <param name="samples">The samples. Nobody outside the library gets them back as a source.</param>
/// <param name="taskId">The task they belong to, where it is given at test time.</param>
/// <remarks>
/// It keeps test samples from being learnt by mistake, not by intent: no public member gives them back as something to learn, but
/// <see cref="Inputs"/> gives what is in them and <see cref="Evaluator"/> the class of each in the same order, and whoever joins the two by
/// hand has labelled samples.
/// </remarks>
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

    internal ISampleSource Samples { get; } = samples ?? throw new ArgumentNullException(nameof(samples));

    /// <summary>The samples that carry one of the <paramref name="labels"/>.</summary>
    /// <param name="labels">The labels to keep.</param>
    public EvaluationSet WithLabels(IReadOnlyCollection<Label> labels) => Map(source => SubsetSource.WithLabels(source, labels));

    /// <summary>At most <paramref name="perClass"/> samples of every class: the first ones.</summary>
    /// <param name="perClass">Samples to keep of each class.</param>
    public EvaluationSet Balanced(int perClass) => Map(source => SubsetSource.Balanced(source, perClass));

    /// <summary>Inputs to predict or to look at, as stored; their labels stay here, with <see cref="Evaluator"/>.</summary>
    /// <param name="indices">Indices from 0 to <see cref="Count"/> − 1.</param>
    /// <returns><c>[batch, ...]</c>; it belongs to the caller's dispose scope.</returns>
    public Tensor Inputs(ReadOnlySpan<long> indices)
    {
        var batch = Samples.Gather(indices);
        batch.Targets.Dispose();
        return batch.Inputs;
    }

    internal EvaluationSet Map(Func<ISampleSource, ISampleSource> change) => new(Name, change(Samples), TaskId);
}
