using Engram.Data;
using Engram.Learning;
using Engram.Memory;

namespace Engram.Retention;

/// <summary>What <see cref="AveragedGradientEpisodicMemory"/> keeps and compares with.</summary>
public sealed record AGemOptions
{
    /// <summary>Samples kept.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Most samples kept of each group that <see cref="Balance"/> names, even while there is room for more; null means no such bound.</summary>
    /// <value>Default null; 1 or more.</value>
    public int? PerGroup { get; init; }

    /// <summary>Samples drawn from the memory in each step for the reference gradient; null means as many as are new.</summary>
    /// <value>Default null.</value>
    public int? BatchSize { get; init; }

    /// <summary>What the memory holds equal shares of.</summary>
    /// <value>Default <see cref="BalanceBy.Experience"/>.</value>
    public BalanceBy Balance { get; init; } = BalanceBy.Experience;
}

/// <summary>
/// Averaged gradient episodic memory: takes out of the gradient what would raise the mean loss on remembered samples.
/// Chaudhry et al. 2019, "Efficient Lifelong Learning with A-GEM", equation 11:
/// g̃ = g − (gᵀg_ref / g_refᵀg_ref) g_ref wherever gᵀg_ref &lt; 0.
/// </summary>
/// <remarks>
/// The reference gradient is taken in training mode, as in the authors' code. Samples enter the memory when their
/// experience ends. The mean over memories is one constraint: single experiences may still get worse.
/// </remarks>
public sealed class AveragedGradientEpisodicMemory : RetentionMechanism
{
    private readonly AGemOptions _options;
    private ReplayBuffer _buffer = null!;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public AveragedGradientEpisodicMemory(AGemOptions? options = null)
    {
        _options = options ?? new AGemOptions();
        if (_options.Capacity < 1) throw new ArgumentException($"Capacity: {_options.Capacity}, expected 1 or more");
        if (_options.PerGroup < 1) throw new ArgumentException($"PerGroup: {_options.PerGroup}, expected 1 or more");
        if (_options.BatchSize < 1) throw new ArgumentException($"BatchSize: {_options.BatchSize}, expected 1 or more");
    }

    /// <inheritdoc/>
    public override string Name => "a-gem";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Projection;

    /// <inheritdoc/>
    protected internal override bool MixesTasks => true;

    /// <inheritdoc/>
    public override long SamplesStored => _buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _buffer.ClassSizes.Index();

    /// <inheritdoc/>
    public override long MemoryBytes => _buffer.Bytes;

    /// <summary>The memory.</summary>
    public ReplayBuffer Buffer => _buffer;

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _buffer = new ReplayBuffer(
            _options.Capacity, _options.Balance, new SeededRandom(context.Options.Seed, "a-gem"), _options.PerGroup);
    }

    /// <inheritdoc/>
    protected internal override void ProjectGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_buffer.Count == 0) return;
        using var scope = NewDisposeScope();
        var context = step.Context;
        var part = _buffer.Read(context, _buffer.Draw(_options.BatchSize ?? step.Current.Count));
        var reference = context.GradientOf(() => context.Targets.Loss(context.Model.forward(part.Inputs), part));
        using var _ = no_grad();
        Project(context.Arena.Gradient, reference);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var random = new SeededRandom(context.Options.Seed, $"a-gem/{context.Experience.Index}");
        _buffer.OfferAll(context, random.Permutation(context.Source.Count));
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _buffer.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _buffer.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _buffer?.Dispose();

    /// <summary>Equation 11, in place and without waiting for the sign: a product of 0 or more leaves the gradient as it is.</summary>
    internal static void Project(Tensor gradient, Tensor reference)
    {
        using var scope = NewDisposeScope();
        var share = gradient.dot(reference).clamp_max_(Held(0)).div_(reference.dot(reference).clamp_min_(Held(1e-30)));
        gradient.addcmul_(reference, share, Held(-1));
    }
}
