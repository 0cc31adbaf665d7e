using Engram.Data;
using Engram.Learning;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How <see cref="ThresholdMoving"/> decides.</summary>
public sealed record ThresholdMovingOptions
{
    /// <summary>How often each label is expected where predictions are made, in any unit; null means all alike.</summary>
    /// <value>Default null. Labels that are not named get the mean of those that are.</value>
    public IReadOnlyDictionary<Label, double>? Expected { get; init; }
}

/// <summary>
/// Corrects predictions for other class priors than those of training, which moves the thresholds between classes:
/// p′(c | x) ∝ p(c | x) · π′_c / π_c. Saerens, Latinne and Decaestecker 2002, "Adjusting the Outputs of a Classifier to
/// New a Priori Probabilities", equation 2.4; Buda, Maki and Mazurowski 2018, section 3.2, for neural networks.
/// </summary>
/// <remarks>Training is untouched. With equal π′ it decides as post-hoc logit adjustment with τ = 1 does.</remarks>
public sealed class ThresholdMoving : RetentionMechanism
{
    private readonly ThresholdMovingOptions _options;
    private readonly ClassCounts _counts = new();
    private Tensor? _shift; // log π′ − log π, [classes]

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ThresholdMoving(ThresholdMovingOptions? options = null)
    {
        _options = options ?? new ThresholdMovingOptions();
        foreach (var (label, share) in _options.Expected ?? new Dictionary<Label, double>())
            if (!(share > 0 && double.IsFinite(share)))
                throw new ArgumentException($"Expected: {share} for label {label}, expected a positive number");
    }

    /// <inheritdoc/>
    public override string Name => "threshold-moving";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Prediction;

    /// <inheritdoc/>
    public override long MemoryBytes => _shift is null ? 0 : _shift.numel() * _shift.element_size();

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        _counts.Add(context);
        Refresh(context);
    }

    /// <inheritdoc/>
    /// <returns>log p′ of each class, up to what is the same for all.</returns>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return _shift is null ? null : logits.add(_shift, alpha: Held(1));
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _counts.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        _counts.Load(state);
        if (_counts.Counts.Count > 0) Refresh(context);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _shift?.Dispose();

    private void Refresh(LearningContext context)
    {
        using var scope = NewDisposeScope();
        var others = _options.Expected is { Count: > 0 } named ? named.Values.Average() : 1;
        var expected = context.Classes.Classes.Take(_counts.Counts.Count)
            .Select(key => (float)Math.Log(_options.Expected?.GetValueOrDefault(key.Label, others) ?? others)).ToArray();
        _shift?.Dispose();
        _shift = tensor(expected).sub_(_counts.LogPrior()).DetachFromDisposeScope();
    }
}
