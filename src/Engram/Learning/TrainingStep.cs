using Engram.Models;

namespace Engram.Learning;

/// <summary>Samples that go through the model together and share one weight in the loss.</summary>
public sealed class BatchPart
{
    /// <summary>The samples as stored, <c>[n, ...]</c> Byte or Float32.</summary>
    public required Tensor Raw
    {
        get;
        init => (field, Count) = (value, (int)value.size(0));
    }

    /// <summary>The samples as the backbone reads them, float32 <c>[n, ...]</c>.</summary>
    public required Tensor Inputs { get; init; }

    /// <summary>Class ids, int64 <c>[n]</c>; or values, float32 <c>[n, outputs]</c>, NaN where unknown.</summary>
    public required Tensor Targets { get; init; }

    /// <summary>Task of each sample, int64 <c>[n]</c>; null outside task-incremental learning.</summary>
    public Tensor? Tasks { get; init; }

    /// <summary>Weight in the total loss; null means in proportion to the number of samples. 0 leaves it to its mechanism.</summary>
    public double? Weight { get; set; }

    /// <summary>How many samples.</summary>
    public int Count { get; private init; }

    /// <summary>First row of this part in the step's tensors.</summary>
    public int Start { get; internal set; }
}

/// <summary>One step of training, as the mechanisms see it. Its tensors live until the end of the step.</summary>
public sealed class TrainingStep
{
    internal TrainingStep(LearningContext context, long[] indices, long number)
    {
        (Context, Indices, Current, Number) = (context, indices, context.Fetch(indices), number);
        Parts = [Current];
    }

    /// <summary>The learner's model, classes and experience.</summary>
    public LearningContext Context { get; }

    /// <summary>Number of this step in its experience, from 0.</summary>
    public long Number { get; }

    /// <summary>The new samples.</summary>
    public BatchPart Current { get; }

    /// <summary>Where each of <see cref="Current"/> is in <see cref="LearningContext.Source"/>.</summary>
    public ReadOnlyMemory<long> Indices { get; }

    /// <summary>All samples of the step; mechanisms add replayed ones before the forward pass.</summary>
    public IList<BatchPart> Parts { get; }

    /// <summary>Inputs of all parts, float32 <c>[rows, ...]</c>; once all samples are there.</summary>
    public Tensor Inputs { get; private set; } = null!;

    /// <summary>Features of all parts, <c>[rows, features]</c>; after the forward pass.</summary>
    public Tensor Features { get; private set; } = null!;

    /// <summary>Logits of all parts, <c>[rows, classes]</c>, before any mask; after the forward pass.</summary>
    public Tensor Logits { get; private set; } = null!;

    /// <summary>The rows of one part in a tensor over all parts.</summary>
    /// <param name="rows"><see cref="Features"/>, <see cref="Logits"/> or what was made from them.</param>
    /// <param name="part">One of <see cref="Parts"/>.</param>
    public static Tensor RowsOf(Tensor rows, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(part);
        return part.Start == 0 && part.Count == rows.size(0) ? rows : rows.narrow(0, part.Start, part.Count);
    }

    /// <summary>The weight of a part in the total loss, resolved.</summary>
    /// <param name="part">One of <see cref="Parts"/>.</param>
    public double WeightOf(BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(part);
        return part.Weight ?? (double)part.Count / Parts.Where(p => p.Weight is null).Sum(p => p.Count);
    }

    // Called once all parts are there.
    internal void Arrange()
    {
        var start = 0;
        foreach (var part in Parts)
        {
            part.Start = start;
            start += part.Count;
        }
        Inputs = Parts.Count == 1 ? Current.Inputs : cat([.. Parts.Select(part => part.Inputs)]);
    }

    internal void Forward(ContinualModel model)
    {
        Features = model.Backbone.forward(Inputs);
        Logits = model.Head.forward(Features);
    }
}
