using Engram.Data;
using Engram.Learning;
using Engram.Memory;

namespace Engram.Retention;

/// <summary>How <see cref="Replay"/> keeps and repeats samples.</summary>
public sealed record ReplayOptions
{
    /// <summary>M: samples kept.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Samples repeated with each step; null means as many as are new.</summary>
    /// <value>Default null.</value>
    public int? BatchSize { get; init; }

    /// <summary>What the memory holds equal shares of.</summary>
    /// <value>Default <see cref="BalanceBy.Class"/>.</value>
    public BalanceBy Balance { get; init; } = BalanceBy.Class;

    /// <summary>Whether samples enter the memory while they are learnt, not when their experience ends.</summary>
    /// <value>Default false; true for online streams.</value>
    public bool Online { get; init; }
}

/// <summary>
/// Experience replay: repeats stored samples beside new ones, which holds old decisions in place where they are needed.
/// Rolnick et al. 2019, "Experience Replay for Continual Learning"; Chaudhry et al. 2019, "On Tiny Episodic Memories".
/// </summary>
/// <remarks>The loss is the mean over new and repeated samples together, as if they were one batch.</remarks>
public sealed class Replay : RetentionMechanism
{
    private readonly ReplayOptions _options;
    private ReplayBuffer _buffer = null!;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public Replay(ReplayOptions? options = null)
    {
        _options = options ?? new ReplayOptions();
        if (_options.Capacity < 1) throw new ArgumentException($"Capacity: {_options.Capacity}, expected 1 or more");
        if (_options.BatchSize < 1) throw new ArgumentException($"BatchSize: {_options.BatchSize}, expected 1 or more");
    }

    /// <inheritdoc/>
    public override string Name => "replay";

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples;

    /// <inheritdoc/>
    public override long MemoryBytes => _buffer.Bytes;

    /// <summary>The memory.</summary>
    public ReplayBuffer Buffer => _buffer;

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _buffer = new ReplayBuffer(
            _options.Capacity, _options.Balance, new SeededRandom(context.Options.Seed, "replay"));
    }

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_buffer.Count == 0) return;
        var slots = _buffer.Draw(_options.BatchSize ?? step.Current.Count);
        step.Parts.Add(_buffer.Read(step.Context, slots));
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var firstPass = step.Number * step.Context.Options.BatchSize < step.Context.Source.Count;
        if (_options.Online && firstPass) _buffer.Offer(step.Current, step.Context.Experience.Index);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_options.Online) return;
        var random = new SeededRandom(context.Options.Seed, $"replay/{context.Experience.Index}");
        foreach (var chunk in random.Permutation(context.Source.Count).Chunk(1024))
        {
            using var scope = NewDisposeScope();
            _buffer.Offer(context.Fetch(Array.ConvertAll(chunk, index => (long)index)), context.Experience.Index);
        }
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _buffer.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _buffer.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _buffer?.Dispose();
}
