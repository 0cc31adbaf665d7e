using Engram.Learning;
using Engram.Memory;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// ER-ACE: replay with an asymmetric cross-entropy, so that new classes do not push the scores of old ones down.
/// Caccia et al. 2022, "New Insights on Reducing Abrupt Representation Change in Online Continual Learning", equation 5:
/// L = L_ce(X_in; C_curr) + L_ce(X_bf; C_old ∪ C_curr).
/// </summary>
/// <remarks>
/// C_curr are the classes in the batch at hand, as in the authors' code. While the memory is empty there is nothing to
/// protect and the usual loss is used. Both terms count alike, whatever their numbers of samples.
/// </remarks>
public sealed class ErAce : RetentionMechanism
{
    private readonly ReplayOptions _options;
    private RehearsalMemory _memory = null!;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults, with <see cref="ReplayOptions.Online"/> set as in the paper.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ErAce(ReplayOptions? options = null) =>
        _options = (options ?? new ReplayOptions { Online = true }).Validated();

    /// <inheritdoc/>
    public override string Name => "er-ace";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples | Seams.Loss;

    /// <inheritdoc/>
    public override long SamplesStored => _memory.Buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _memory.Buffer.ClassSizes.Index();

    /// <inheritdoc/>
    public override long MemoryBytes => _memory.Bytes;

    /// <summary>The memory.</summary>
    public ReplayBuffer Buffer => _memory.Buffer;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options?.Scenario == Scenario.TaskIncremental
            ? "keeps new classes from competing with old ones, which separate outputs per task do already; "
                + "expected class- or domain-incremental"
            : null;

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => ExemplarMechanism.SecondMemory(other);

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context) =>
        _memory = new RehearsalMemory(_options, context, Name);

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_memory.Repeat(step) is not { } replayed) return;
        (step.Current.Weight, replayed.Weight) = (1, 1);
    }

    /// <inheritdoc/>
    protected internal override Tensor? ReplaceLoss(TrainingStep step, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (part != step.Current || _memory.Buffer.Count == 0) return null;
        var absent = ones(step.Logits.size(1), ScalarType.Bool).index_fill_(0, part.Targets, Held(false));
        var logits = TrainingStep.RowsOf(step.Logits, part).masked_fill(absent, Held(float.NegativeInfinity));
        return nn.functional.cross_entropy(logits, part.Targets);
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step) => _memory.AfterStep(step);

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context) => _memory.EndExperience(context);

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _memory.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _memory.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _memory?.Dispose();
}
