using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How <see cref="DecoupledHead"/> retrains.</summary>
public sealed record DecoupledHeadOptions
{
    /// <summary>Samples of old classes kept for retraining; 1 or more.</summary>
    /// <value>Default 1,000.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Steps of retraining after every experience.</summary>
    /// <value>Default 200; 1 or more.</value>
    public int Steps { get; init; } = 200;

    /// <summary>Samples per step, the same number of every class on average.</summary>
    /// <value>Default 128; 1 or more.</value>
    public int BatchSize { get; init; } = 128;

    /// <summary>Step size of Adam on the head.</summary>
    /// <value>Default 1e-3.</value>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Whether the head starts from new random weights, as in cRT, and not from those it has.</summary>
    /// <value>Default true.</value>
    public bool Restart { get; init; } = true;
}

/// <summary>
/// Learns features from the data as they come, then retrains the head alone on class-balanced samples (cRT).
/// Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", section 4.2.
/// </summary>
/// <remarks>
/// After every experience; old classes come from a class-balanced memory of its own. New weights are normal with a
/// standard deviation of 0.01. The backbone is in evaluation mode and its features are computed once.
/// </remarks>
public sealed class DecoupledHead : RetentionMechanism
{
    private const int Chunk = 512;

    private readonly DecoupledHeadOptions _options;
    private ReplayBuffer _buffer = null!;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public DecoupledHead(DecoupledHeadOptions? options = null)
    {
        _options = options ?? new DecoupledHeadOptions();
        foreach (var (name, value) in new[] { ("Capacity", _options.Capacity), ("Steps", _options.Steps), ("BatchSize", _options.BatchSize) })
            if (value < 1) throw new ArgumentException($"{name}: {value}, expected 1 or more");
        if (!(_options.LearningRate > 0 && double.IsFinite(_options.LearningRate)))
            throw new ArgumentException($"LearningRate: {_options.LearningRate}, expected a positive number");
    }

    /// <inheritdoc/>
    public override string Name => "decoupled-head";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Parameters;

    /// <inheritdoc/>
    public override long SamplesStored => _buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _buffer.ClassSizes.Index();

    /// <inheritdoc/>
    public override long MemoryBytes => _buffer.Bytes;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options?.Scenario == Scenario.TaskIncremental
            ? "retrains one head over all classes, expected class- or domain-incremental"
            : null;

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _buffer = new ReplayBuffer(_options.Capacity, BalanceBy.Class, new SeededRandom(context.Options.Seed, Name));
    }

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!_buffer.IsHalfOffered) Retrain(context);
        _buffer.OfferAll(context, Enumerable.Range(0, context.Source.Count));
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _buffer.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _buffer.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _buffer?.Dispose();

    private void Retrain(LearningContext context)
    {
        using var scope = NewDisposeScope();
        var (features, targets) = Pool(context);
        var rowsOf = targets.data<long>().ToArray().Select((id, row) => (id, row))
            .GroupBy(pair => pair.id).OrderBy(group => group.Key).Select(group => group.Select(pair => (long)pair.row).ToArray()).ToArray();
        var random = new SeededRandom(context.Options.Seed, $"decoupled-head/{context.Experience.Index}");
        Retrain(context, features, targets, () =>
        {
            var rows = rowsOf[random.Next(rowsOf.Length)];
            return rows[random.Next(rows.Length)];
        });
    }

    // Features and class ids of this experience and of the memory of earlier ones.
    private (Tensor Features, Tensor Targets) Pool(LearningContext context)
    {
        using var _ = no_grad();
        var (features, targets) = (new List<Tensor>(), new List<Tensor>());
        foreach (var chunk in Enumerable.Range(0, context.Source.Count).Select(row => (long)row).Chunk(Chunk))
        {
            using var scope = NewDisposeScope();
            Add(features.Count, context.Fetch(chunk));
        }
        // Drawing moves the memory's generator on: only once all else was read.
        if (_buffer.Count > 0) Add(0, _buffer.Read(context, _buffer.Draw(_buffer.Count)));
        return (cat(features), cat(targets));

        void Add(int place, BatchPart part)
        {
            features.Insert(place, context.Model.Backbone.forward(part.Inputs).MoveToOuterDisposeScope());
            targets.Insert(place, part.Targets.MoveToOuterDisposeScope());
        }
    }

    private void Retrain(LearningContext context, Tensor features, Tensor targets, Func<long> next)
    {
        var head = context.Model.Head;
        if (_options.Restart)
            using (no_grad())
                foreach (var parameter in head.parameters()) parameter.normal_(0, 0.01);
        // Of all parameters only the head's have a gradient, and Adam leaves alone what never had one.
        using var adam = new AdamOptions { LearningRate = _options.LearningRate }.Build();
        for (var step = 0; step < _options.Steps; step++)
        {
            using var scope = NewDisposeScope();
            var rows = tensor(Enumerable.Range(0, _options.BatchSize).Select(_ => next()).ToArray());
            context.Arena.Gradient.zero_();
            nn.functional.cross_entropy(head.forward(features.index_select(0, rows)), targets.index_select(0, rows)).backward();
            adam.Step(context.Arena);
        }
        context.Arena.Gradient.zero_();
    }
}
