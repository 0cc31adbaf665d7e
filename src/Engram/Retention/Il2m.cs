using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>What <see cref="Il2m"/> takes as prediction scores.</summary>
public enum Il2mScores
{
    /// <summary>Logits, the "raw prediction scores" of the authors' code.</summary>
    Logits,

    /// <summary>Softmax probabilities.</summary>
    Probabilities,
}

/// <summary>How <see cref="Il2m"/> keeps exemplars and rectifies.</summary>
public sealed record Il2mOptions : ExemplarOptions
{
    /// <summary>What is rectified.</summary>
    /// <value>Default <see cref="Il2mScores.Logits"/>, as in the authors' code.</value>
    public Il2mScores Scores { get; init; }
}

/// <summary>
/// IL2M, a dual memory: exemplars, and the mean score that each class had when it was new. Old classes' scores are
/// rectified where a new class would win. Belouadah and Popescu 2019, "IL2M: Class Incremental Learning With Dual
/// Memory": p^r(C_i) = p(C_i) · μ^P(C_i) / μ^N(C_i) · μ(M_N) / μ(M_P) if the best class is new, else p(C_i).
/// </summary>
/// <remarks>
/// μ^P(C_i): mean score of class i over its samples when it was learnt first; μ^N(C_i): over its exemplars now; μ(M): mean
/// best score over the new classes' samples, now and then. Training is plain fine-tuning on new samples and exemplars.
/// A factor that is not a positive number (a mean logit of 0 or less) leaves its class as it is. With
/// <see cref="Il2mScores.Probabilities"/> the scores returned are log p^r.
/// </remarks>
public sealed class Il2m : RetentionMechanism
{
    private readonly Il2mOptions _options;
    private Tensor _initial = zeros(0, ScalarType.Float64).DetachFromDisposeScope(); // μ^P of each class
    private Tensor _confidence = zeros(0, ScalarType.Float64).DetachFromDisposeScope(); // μ(M_P) of each class
    private Tensor _factor = zeros(0, ScalarType.Float32).DetachFromDisposeScope();
    private int _firstNew;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public Il2m(Il2mOptions? options = null)
    {
        _options = options ?? new Il2mOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public override string Name => "il2m";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.TrainingData | Seams.Prediction;

    /// <inheritdoc/>
    public override long SamplesStored => Exemplars.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => Exemplars.Classes;

    /// <inheritdoc/>
    public override long MemoryBytes => Exemplars.Bytes + (8 * (_initial.numel() + _confidence.numel())) + (4 * _factor.numel());

    /// <summary>The exemplars.</summary>
    public ExemplarSet Exemplars { get; } = new();

    /// <summary>What the scores of each class are multiplied by where a new class would win, float32 <c>[classes]</c>.</summary>
    public Tensor Factors => _factor;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) => ExemplarMechanism.WhyNot(options);

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other is WeightAligning
        ? "corrects the same bias, expected no wa beside it"
        : ExemplarMechanism.WhyNotBeside(other);

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override ISampleSource ChooseTrainingData(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Exemplars.Join(context.Experience.Train, context.Classes);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var share = _options.Share(context.Classes.Count);
        var herded = ExemplarSet.Herd(context, share);
        Measure(context);
        Exemplars.Update(share, herded);
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        // In mid-experience there are classes that were not measured yet.
        return _factor.size(0) == logits.size(1) ? Rectify(logits) : null;
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Exemplars.Save(state, "exemplars");
        (state.Tensors["initial"], state.Tensors["confidence"], state.Tensors["factor"]) = (_initial, _confidence, _factor);
        state.Values["firstNew"] = _firstNew;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        Exemplars.Load(state, "exemplars", context.Classes.Count);
        Keep(state.TakeSaved("initial"), state.TakeSaved("confidence"), state.TakeSaved("factor"));
        _firstNew = state.Values.Value<int>("firstNew");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Exemplars.Dispose();
        _initial.Dispose();
        _confidence.Dispose();
        _factor.Dispose();
    }

    internal Tensor Rectify(Tensor logits)
    {
        var scores = Scores(logits);
        var newWins = logits.argmax(1, keepdim: true).ge(Held(_firstNew)); // [n, 1]
        var rectified = where(newWins, scores.mul(_factor), scores);
        return _options.Scores == Il2mScores.Logits ? rectified : rectified.log();
    }

    private Tensor Scores(Tensor logits) => _options.Scores == Il2mScores.Logits ? logits : logits.softmax(1);

    // The means over what was trained on: all new samples, and the exemplars of old classes.
    private void Measure(LearningContext context)
    {
        var (old, all) = (context.KnownBefore, context.Classes.Count);
        var sums = zeros(all, ScalarType.Float64);
        var counts = zeros(all, ScalarType.Float64);
        var (best, fresh) = (zeros(1, ScalarType.Float64), zeros(1, ScalarType.Float64));
        foreach (var chunk in Enumerable.Range(0, context.Source.Count).Select(row => (long)row).Chunk(512))
        {
            using var inner = NewDisposeScope();
            var part = context.Fetch(chunk);
            var scores = Scores(context.Model.forward(part.Inputs)).to(ScalarType.Float64);
            var own = scores.gather(1, part.Targets.unsqueeze(1)).squeeze(1);
            var isNew = part.Targets.ge(Held(old)).to(ScalarType.Float64);
            sums.index_add_(0, part.Targets, own, Held(1));
            counts.index_add_(0, part.Targets, ones_like(own), Held(1));
            best.add_(scores.amax([1]).mul(isNew).sum(), alpha: Held(1));
            fresh.add_(isNew.sum(), alpha: Held(1));
        }
        var means = sums.div(counts);
        var confidence = best.div(fresh); // NaN where no class is new: then nothing is rectified
        var initial = cat([_initial, means[old..]]);
        var confidences = cat([_confidence, confidence.expand(all - old)]);
        var factor = initial.div(means).mul(confidence.div(confidences));
        factor = where(factor.gt(Held(0)).logical_and(factor.isfinite()), factor, ones_like(factor));
        factor[old..] = ones(all - old, ScalarType.Float64);
        Keep(initial, confidences, factor.to(ScalarType.Float32));
        _firstNew = old;
    }

    private void Keep(Tensor initial, Tensor confidence, Tensor factor)
    {
        _initial.Dispose();
        _confidence.Dispose();
        _factor.Dispose();
        _initial = initial.DetachFromDisposeScope();
        _confidence = confidence.DetachFromDisposeScope();
        _factor = factor.DetachFromDisposeScope();
    }
}
