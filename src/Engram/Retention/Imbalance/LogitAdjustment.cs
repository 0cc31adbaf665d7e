using Engram.Learning;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How <see cref="LogitAdjustment"/> adjusts.</summary>
public sealed record LogitAdjustmentOptions
{
    /// <summary>τ in equations 9 and 10: how far priors are taken out.</summary>
    /// <value>Default 1; above 0.</value>
    public double Tau { get; init; } = 1;

    /// <summary>Whether prediction is adjusted (equation 9) instead of the loss (equation 10).</summary>
    /// <value>Default false.</value>
    public bool PostHoc { get; init; }
}

/// <summary>
/// Takes the class priors out of the logits, so that rare classes are not predicted too rarely.
/// Menon et al. 2021, "Long-tail learning via logit adjustment": the loss is the cross-entropy of f(x) + τ log π
/// (equation 10), or, post hoc, the prediction is argmax f(x) − τ log π (equation 9).
/// </summary>
/// <remarks>
/// π counts the training samples of all experiences so far. The paper knows no stream: what replay adds to a class is not
/// counted. Beside a class-balanced memory of few samples, prefer the post-hoc form with a small τ, or none.
/// </remarks>
public sealed class LogitAdjustment : RetentionMechanism
{
    private readonly LogitAdjustmentOptions _options;
    private readonly ClassCounts _counts = new();
    private Tensor? _shift; // τ log π, [classes]

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public LogitAdjustment(LogitAdjustmentOptions? options = null)
    {
        _options = options ?? new LogitAdjustmentOptions();
        if (!(_options.Tau > 0 && double.IsFinite(_options.Tau)))
            throw new ArgumentException($"Tau: {_options.Tau}, expected a positive number");
    }

    /// <inheritdoc/>
    public override string Name => "logit-adjustment";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => _options.PostHoc ? Seams.Prediction : Seams.Loss;

    /// <inheritdoc/>
    public override long MemoryBytes => _shift is null ? 0 : _shift.numel() * _shift.element_size();

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
        if (_options.PostHoc) return null;
        var adjusted = TrainingStep.RowsOf(step.Logits, part).add(_shift!, alpha: Held(1));
        return nn.functional.cross_entropy(step.Context.Targets.Mask(adjusted, part.Tasks), part.Targets);
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return _options.PostHoc && _shift is not null ? logits.sub(_shift) : null;
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
    protected override void Dispose(bool disposing) => _shift?.Dispose();

    private void Refresh()
    {
        using var scope = NewDisposeScope();
        _shift?.Dispose();
        _shift = _counts.LogPrior().mul_(Held(_options.Tau)).DetachFromDisposeScope();
    }
}
