using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>Trains on the data of all experiences so far, as if nothing had to be forgotten. A yardstick: memory and time grow without bound.</summary>
public sealed class Cumulative : RetentionMechanism
{
    private readonly List<ISampleSource> _sources = [];

    /// <inheritdoc/>
    public override string Name => "cumulative";

    /// <inheritdoc/>
    public override Seams Seams => Seams.TrainingData;

    /// <inheritdoc/>
    public override long SamplesStored => _sources.Sum(source => (long)source.Count);

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _sources.SelectMany(source => source.Codes.ToArray().Select(code => (context.Targets.IdOf(source, code), 1)));
    }

    /// <summary>Bytes of all samples of earlier experiences that this mechanism keeps reachable.</summary>
    public override long MemoryBytes => _sources.Sum(source =>
        source.Count * source.InputShape.Aggregate(source.InputType == ScalarType.Byte ? 1L : 4L, (bytes, size) => bytes * size));

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other.Seams.HasFlag(Seams.Samples)
        ? $"trains on all samples there were, expected no {other.Name} beside it"
        : null;

    /// <inheritdoc/>
    protected internal override ISampleSource ChooseTrainingData(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _sources.Count == 0 ? context.Experience.Train : new ConcatSource([.. _sources, Newest(context)]);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _sources.Add(Newest(context));
    }

    /// <inheritdoc/>
    /// <remarks>All samples go with it: a bundle of this yardstick is as large as its data.</remarks>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values["sources"] = _sources.Count;
        for (var i = 0; i < _sources.Count; i++) StoredSource.Save(state, $"{i}", _sources[i]);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var count = state.Values.Value<int>("sources");
        for (var i = 0; i < count; i++) _sources.Add(StoredSource.Load(state, $"{i}"));
    }

    // Told which task they are of, samples of all tasks can be in one batch.
    private static ISampleSource Newest(LearningContext context) =>
        TaskSource.Of(context.Experience.Train, context.Targets.TaskKey(context.Experience.TaskId));
}

/// <summary>
/// Starts every experience from the first weights again: alone, training from scratch; with <see cref="Cumulative"/>, joint
/// training. Buffers, such as the running statistics of batch normalisation, start again too.
/// </summary>
public sealed class Reinitialise : RetentionMechanism
{
    private const string Buffer = "buffer.";

    private readonly SortedDictionary<string, Tensor> _buffers = new(StringComparer.Ordinal);
    private Tensor _initial = null!;

    /// <inheritdoc/>
    public override string Name => "reinitialise";

    /// <inheritdoc/>
    public override Seams Seams => Seams.Parameters;

    /// <inheritdoc/>
    public override long MemoryBytes => _buffers.Values.Append(_initial).Sum(tensor => tensor.numel() * tensor.element_size());

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => WhyNothingToKeep(other);

    /// <inheritdoc/>
    protected internal override bool ForgetsMoments => true;

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _initial = context.Arena.Values.clone().DetachFromDisposeScope();
        foreach (var (name, buffer) in context.Model.named_buffers()) Keep(name, buffer.clone().DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(change);
        _initial = change.Carry(_initial, context.Arena.Values);
    }

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        context.Arena.Values.copy_(_initial);
        foreach (var (name, buffer) in context.Model.named_buffers()) buffer.copy_(_buffers[name]);
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Tensors["initial"] = _initial;
        foreach (var (name, buffer) in _buffers) state.Tensors[Buffer + name] = buffer;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _initial.Dispose();
        _initial = state.TakeSaved("initial");
        // Bundles of before buffers were kept have none: those of the model as it was built are the first ones too.
        foreach (var name in _buffers.Keys.ToArray())
            if (state.Take(Buffer + name) is { } buffer) Keep(name, buffer);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _initial?.Dispose();
        foreach (var buffer in _buffers.Values) buffer.Dispose();
    }

    internal static string? WhyNothingToKeep(RetentionMechanism other) =>
        other is WeightPenalty or LearningWithoutForgetting or LessForgettingLearning or GradientEpisodicMemory
            or AveragedGradientEpisodicMemory or CopyWeightsReinit or PackNet or ProgressiveNetworks
            ? $"starts every experience from the first weights, which leaves {other.Name} nothing to keep, expected no {other.Name} beside it"
            : null;

    private void Keep(string name, Tensor buffer)
    {
        if (_buffers.TryGetValue(name, out var before)) before.Dispose();
        _buffers[name] = buffer;
    }
}
