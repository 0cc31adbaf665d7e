using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How <see cref="GDumb"/> keeps and learns.</summary>
public sealed record GDumbOptions
{
    /// <summary>k: samples kept, and all that is trained on.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Passes over the memory after every experience, in place of <see cref="LearnerOptions.Epochs"/>.</summary>
    /// <value>Default 10; 1 or more.</value>
    public int Epochs { get; init; } = 10;
}

/// <summary>
/// GDumb: keeps a greedily class-balanced memory and trains a new model on it alone; the yardstick every replay method
/// should beat. Prabhu, Torr and Dokania 2020, "GDumb: A Simple Approach that Questions Our Progress in Continual
/// Learning", algorithm 1.
/// </summary>
/// <remarks>
/// The paper's training recipe (SGD with warm restarts, CutMix, 256 epochs) is not part of it; the learner's own is used.
/// Parameters, buffers and the optimiser's moments start anew with every experience.
/// </remarks>
public sealed class GDumb : RetentionMechanism
{
    private readonly GDumbOptions _options;
    private readonly Reinitialise _scratch = new();
    private GreedyBalancedMemory _memory = new();
    private GreedyBalancedMemory? _next;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public GDumb(GDumbOptions? options = null)
    {
        _options = options ?? new GDumbOptions();
        if (_options.Capacity < 1) throw new ArgumentException($"Capacity: {_options.Capacity}, expected 1 or more");
        if (_options.Epochs < 1) throw new ArgumentException($"Epochs: {_options.Epochs}, expected 1 or more");
    }

    /// <inheritdoc/>
    public override string Name => "gdumb";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.TrainingData | Seams.Parameters;

    /// <inheritdoc/>
    public override long SamplesStored => _memory.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _memory.Codes.Select(code => (context.Classes.IdOf(_memory.Labels[code]), 1));
    }

    /// <inheritdoc/>
    public override long MemoryBytes => _scratch.MemoryBytes + _memory.Bytes + (_next?.Bytes ?? 0);

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) => options switch
    {
        { Scenario: Scenario.TaskIncremental } => "trains on samples of many tasks at once, expected class- or domain-incremental",
        { Iterations: not null } => "counts epochs over its memory, expected Iterations to be null",
        _ => null,
    };

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other.Seams.HasFlag(Seams.Samples)
        ? $"trains on its own memory alone, expected no {other.Name} beside it"
        : Reinitialise.WhyNothingToKeep(other);

    /// <inheritdoc/>
    protected internal override int? ChooseEpochs(LearningContext context) => _options.Epochs;

    /// <inheritdoc/>
    protected internal override bool ForgetsMoments => true;

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context) => _scratch.Attach(context);

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override ISampleSource ChooseTrainingData(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // A function of the last memory and the experience, so that a resumed experience sees the same samples.
        _next?.Dispose();
        var random = new SeededRandom(context.Options.Seed, $"gdumb/{context.Experience.Index}");
        _next = _memory.With(context.Experience.Train, _options.Capacity, random);
        return _next.AsSource();
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) =>
        _scratch.OnGrowth(context, change);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context) => _scratch.BeginExperience(context);

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        _memory.Dispose();
        (_memory, _next) = (_next!, null);
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        _scratch.Save(state);
        _memory.Save(state);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        _scratch.Load(context, state);
        _memory.Load(state);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _scratch.Dispose();
        _memory.Dispose();
        _next?.Dispose();
    }
}
