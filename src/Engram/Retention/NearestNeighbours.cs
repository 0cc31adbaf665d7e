using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>What <see cref="NearestNeighbours"/> keeps and how it votes.</summary>
public sealed record NeighbourOptions
{
    /// <summary>M: features kept, the same number for every class.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>k: neighbours that vote.</summary>
    /// <value>Default 5; 1 or more.</value>
    public int K { get; init; } = 5;

    /// <summary>λ: share of the neighbours' vote; the model's own probabilities have the rest.</summary>
    /// <value>Default 1; above 0 to 1.</value>
    public double Lambda { get; init; } = 1;

    /// <summary>T: a neighbour at squared distance d² votes with exp(−(d² − d²_nearest) / T).</summary>
    /// <value>Default 10; a positive number.</value>
    public double Temperature { get; init; } = 10;

    internal NeighbourOptions Validated()
    {
        if (Capacity < 1) throw new ArgumentException($"Capacity: {Capacity}, expected 1 or more");
        if (K < 1) throw new ArgumentException($"K: {K}, expected 1 or more");
        if (Lambda is not (> 0 and <= 1)) throw new ArgumentException($"Lambda: {Lambda}, expected above 0 to 1");
        return Temperature > 0 && double.IsFinite(Temperature)
            ? this
            : throw new ArgumentException($"Temperature: {Temperature}, expected a positive number");
    }
}

/// <summary>
/// Retrieval: keeps features of some samples and lets the k nearest vote beside the model, so that a class is remembered as long as
/// its features are kept. Khandelwal et al. 2020, "Generalization through Memorization", equations 2 and 3, for classes:
/// p = λ p_kNN + (1 − λ) p_model with p_kNN(c) ∝ Σ over neighbours of class c of exp(−d²/T).
/// </summary>
/// <remarks>
/// Class-incremental. Features must not move: <see cref="Models.RawInputs"/>, or a frozen or pretrained backbone. The search is
/// exact. Kept are random samples, M over the classes so far; what is too much of old classes is removed. Scores are log p.
/// </remarks>
public sealed class NearestNeighbours : RetentionMechanism
{
    private const double Smallest = 1e-30; // log 0 is kept finite, so that classes without neighbours compare

    private readonly NeighbourOptions _options;
    private NeighbourIndex? _index;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public NearestNeighbours(NeighbourOptions? options = null) => _options = (options ?? new NeighbourOptions()).Validated();

    /// <inheritdoc/>
    public override string Name => "knn";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Prediction;

    /// <inheritdoc/>
    public override long SamplesStored => _index?.Count ?? 0;

    /// <inheritdoc/>
    public override long MemoryBytes => _index?.Bytes ?? 0;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) =>
        _index is null ? [] : _index.Labels().Select(own => ((int)own.Label, own.Count));

    /// <summary>The features kept; removing some makes the learner forget them at once. Null before the first experience.</summary>
    public NeighbourIndex? Index => _index;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options is { Scenario: Scenario.ClassIncremental } ? null : "votes on classes, expected class-incremental learning";

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _index ??= new NeighbourIndex(context.Model.Backbone.FeatureCount);
        var random = new SeededRandom(context.Options.Seed, $"{Name}/{context.Experience.Index}");
        var held = _index.Labels().Select(own => own.Label);
        var share = Math.Max(1, _options.Capacity / held.Union(context.ClassIds.Select(id => (long)id)).Count());
        Trim(share, random);
        var members = StratifiedSplit.ByClass(context.Source);
        // Read first and added then: reading may fail.
        var added = members.Where(own => own.Length > 0).Select(own => Some(context, own, share, random)).ToArray();
        foreach (var (vectors, labels) in added) _index.Add(vectors, labels);
        Trim(share, random);
        // The memory stated is the memory held, and that of a learner that was saved and loaded.
        _index.TrimExcess();
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(logits);
        if (_index is not { Count: > 0 } index) return null;
        var (distances, labels) = index.Nearest(features, _options.K);
        var votes = distances.sub(distances.narrow(1, 0, 1)).div_(Held(-_options.Temperature)).softmax(1).to(logits.dtype);
        var p = zeros_like(logits).scatter_add_(1, labels, votes);
        if (_options.Lambda < 1) p = p.mul_(Held(_options.Lambda)).add_(logits.softmax(1), alpha: Held(1 - _options.Lambda));
        return p.clamp_min_(Held(Smallest)).log_();
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _index?.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        if (!state.Tensors.ContainsKey("vectors")) return;
        _index = new NeighbourIndex(context.Model.Backbone.FeatureCount);
        _index.Load(state);
        if (_index.Labels().Any(own => own.Label < 0 || own.Label >= context.Classes.Count))
            throw new FormatException($"labels: expected ids of {context.Classes.Count} classes");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _index?.Dispose();

    private void Trim(int share, SeededRandom random)
    {
        var gone = new List<int>();
        foreach (var (label, count) in _index!.Labels())
        {
            if (count <= share) continue;
            var slots = _index.SlotsOf(label);
            random.Shuffle<int>(slots);
            gone.AddRange(slots.Skip(share));
        }
        // From the last slot down, so that those still to go keep their places.
        foreach (var slot in gone.OrderDescending()) _index.Remove(slot);
    }

    private static (Tensor Vectors, Tensor Labels) Some(LearningContext context, int[] members, int share, SeededRandom random)
    {
        using var scope = NewDisposeScope();
        random.Shuffle<int>(members);
        var part = context.Fetch([.. members.Take(share).Select(index => (long)index)]);
        return (context.Model.Backbone.forward(part.Inputs).MoveToOuterDisposeScope(), part.Targets.MoveToOuterDisposeScope());
    }
}
