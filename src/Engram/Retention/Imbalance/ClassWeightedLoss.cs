using Engram.Learning;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How the loss of a class is weighed.</summary>
public enum ClassWeighting
{
    /// <summary>(1 − β) / (1 − β^n): the inverse of the effective number of samples.</summary>
    EffectiveNumber,

    /// <summary>1 / n.</summary>
    InverseFrequency,
}

/// <summary>How <see cref="ClassWeightedLoss"/> weighs.</summary>
public sealed record ClassWeightedLossOptions
{
    /// <summary>The rule.</summary>
    /// <value>Default <see cref="ClassWeighting.EffectiveNumber"/>.</value>
    public ClassWeighting Weighting { get; init; }

    /// <summary>β in equation 3 of Cui et al.: 0 weighs all classes alike, towards 1 by inverse frequency.</summary>
    /// <value>Default 0.999; 0 to below 1.</value>
    public double Beta { get; init; } = 0.999;

    /// <summary>Whether replayed samples are weighed too; a class-balanced memory needs it not.</summary>
    /// <value>Default false.</value>
    public bool Replayed { get; init; }
}

/// <summary>
/// Weighs the loss of rare classes up. Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples",
/// equations 3 and 5, with cross-entropy; or plain inverse frequency.
/// </summary>
/// <remarks>
/// n counts the training samples of a class over all experiences so far. As with weights in PyTorch, the loss of a batch
/// is divided by the sum of the weights in it, so that the step size does not depend on their scale.
/// </remarks>
public sealed class ClassWeightedLoss : RetentionMechanism
{
    private readonly ClassWeightedLossOptions _options;
    private readonly ClassCounts _counts = new();
    private Tensor? _weights;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ClassWeightedLoss(ClassWeightedLossOptions? options = null)
    {
        _options = options ?? new ClassWeightedLossOptions();
        if (_options.Beta is not (>= 0 and < 1)) throw new ArgumentException($"Beta: {_options.Beta}, expected 0 to below 1");
    }

    /// <inheritdoc/>
    public override string Name => "class-weights";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Loss;

    /// <inheritdoc/>
    public override long MemoryBytes => _weights is null ? 0 : _weights.numel() * _weights.element_size();

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        _counts.Add(context);
        Refresh();
    }

    /// <inheritdoc/>
    protected internal override Tensor? ReplaceLoss(TrainingStep step, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(part);
        if (part != step.Current && !_options.Replayed) return null;
        var logits = step.Context.Targets.Mask(TrainingStep.RowsOf(step.Logits, part), part.Tasks);
        return nn.functional.cross_entropy(logits, part.Targets, weight: _weights);
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _counts.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        _counts.Load(state);
        if (_counts.Counts.Count > 0) Refresh();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _weights?.Dispose();

    /// <summary>The weight of each class by its count, their mean 1.</summary>
    internal double[] WeightsOf(IReadOnlyList<long> counts)
    {
        var raw = counts.Select(count => (double)Math.Max(1, count)).Select(n => _options.Weighting switch
        {
            ClassWeighting.InverseFrequency => 1 / n,
            _ => (1 - _options.Beta) / (1 - Math.Pow(_options.Beta, n)),
        }).ToArray();
        return Array.ConvertAll(raw, weight => weight * raw.Length / raw.Sum());
    }

    private void Refresh()
    {
        _weights?.Dispose();
        _weights = tensor(Array.ConvertAll(WeightsOf(_counts.Counts), weight => (float)weight)).DetachFromDisposeScope();
    }
}
