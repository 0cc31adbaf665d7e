using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Analytic;

/// <summary>
/// Learns in closed form over fixed features: sums over samples are all it keeps, and sums do not depend on the order of
/// their terms, so nothing is forgotten. One pass, no stored sample; subtracting a sample's terms unlearns it.
/// </summary>
/// <remarks>Class-incremental. Owns its <see cref="FeatureExtractor"/>. Not for use by several threads at once.</remarks>
public abstract class AnalyticLearner : IContinualLearner
{
    private const double ReportSeconds = 0.25;
    private const int MostBlockSize = 1 << 20;
    private const double Greatest = 1e38; // of a score: float32 has 3e38
    private readonly HashSet<int> _learnt = [];
    private (int Experience, int Samples)? _cursor;

    private protected AnalyticLearner(FeatureExtractor features, InputScaling? scaling)
    {
        ArgumentNullException.ThrowIfNull(features);
        (Features, Scaling) = (features, scaling ?? new InputScaling());
    }

    /// <summary>The fixed map in front.</summary>
    public FeatureExtractor Features { get; }

    /// <summary>How stored samples become inputs.</summary>
    public InputScaling Scaling { get; }

    /// <inheritdoc/>
    public ClassRegistry Classes { get; } = new();

    /// <inheritdoc/>
    public Scenario Scenario => Scenario.ClassIncremental;

    /// <summary>Samples whose features are computed and summed at a time.</summary>
    /// <value>Default 512, at most 1,048,576: large enough for matrix products, small enough for cache. Does not change what is learnt.</value>
    public int BlockSize
    {
        get;
        init => field = CheckedBlockSize(value);
    } = 512;

    internal static int CheckedBlockSize(int value) => value is >= 1 and <= MostBlockSize
        ? value
        : throw new ArgumentException($"BlockSize: {value}, expected 1 to {MostBlockSize}");

    /// <summary>Indices of the experiences learnt to their end.</summary>
    public IReadOnlySet<int> Learnt => _learnt;

    /// <summary>
    /// Called after every block, on the thread that learns; it may wait there, to leave the processor to others. What it throws
    /// ends <see cref="Learn"/> as cancellation does.
    /// </summary>
    /// <value>Default none.</value>
    public Action? BetweenSteps { get; set; }

    /// <summary>Bytes of the statistics, the head and the feature extractor.</summary>
    public long MemoryBytes => Features.MemoryBytes + StatisticsBytes;

    /// <summary>T, by which scores are divided before the softmax of <see cref="Prediction.Probabilities"/>.</summary>
    /// <value>Default 1, until <see cref="Calibrate"/> chooses it.</value>
    public double Temperature { get; private set; } = 1;

    /// <summary>Shape of one sample of the first experience; null before it.</summary>
    public IReadOnlyList<long>? InputShape { get; private set; }

    /// <summary>Element type of the first experience's samples, Byte or Float32; null before it.</summary>
    public ScalarType? InputType { get; private set; }

    /// <summary>Whether any sample was learnt and not unlearnt.</summary>
    internal bool HasLearnt
    {
        get
        {
            using var scope = NewDisposeScope();
            return Counts.numel() > 0 && Counts.sum().item<double>() > 0.5;
        }
    }

    private protected abstract long StatisticsBytes { get; }

    /// <summary>What a file calls this learner.</summary>
    private protected abstract string Kind { get; }

    /// <summary>Samples of each class learnt and not unlearnt, float64 <c>[classes]</c>, held.</summary>
    private protected abstract Tensor Counts { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// Learnt before, targets that are not classes, samples that do not fit the features, or numbers that are not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another experience was interrupted and must be finished first.</exception>
    public LearningResult Learn(
        Experience experience, IProgress<LearningProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(experience);
        Check(experience);
        var started = TimeProvider.System.GetTimestamp();
        var source = experience.Train;
        if (InputShape is null) (InputShape, InputType) = ([.. source.InputShape], TypeOf(source));
        var ids = source.Labels.Select(label => (long)Classes.Register(label)).ToArray();
        var (first, reported, blocks) = (_cursor?.Samples ?? 0, 0.0, 0L);
        for (var start = first; start < source.Count; start += BlockSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Blocks(source, ids, start, Math.Min(start + BlockSize, source.Count), +1, undoFrom: first);
            blocks++;
            var done = Math.Min(start + BlockSize, source.Count);
            _cursor = (experience.Index, done);
            BetweenSteps?.Invoke();
            var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
            if (seconds - reported < ReportSeconds && done < source.Count) continue;
            reported = seconds;
            var (step, steps) = ((done + BlockSize - 1) / BlockSize, (source.Count + BlockSize - 1) / BlockSize);
            progress?.Report(new LearningProgress(
                experience.Index, 1, 1, step, steps, done, (done - first) / seconds, 0, "summing"));
        }
        _cursor = null;
        _learnt.Add(experience.Index);
        var took = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        return new LearningResult(source.Count - first, blocks, took, 0);
    }

    /// <summary>Unlearns samples: the head becomes the one that never saw them.</summary>
    /// <param name="samples">Samples that were learnt before; subtracting others corrupts the statistics.</param>
    /// <exception cref="ArgumentException">A label that was never learnt, or more samples of it than were.</exception>
    /// <remarks>
    /// Labels keep their ids; a label without samples left is never predicted. <see cref="Features"/> stay as they are: filters or a
    /// network made from samples keep what they took from them.
    /// </remarks>
    public void Unlearn(ISampleSource samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        CheckSource("samples", samples);
        var ids = samples.Labels.Select(label => (long)Classes.IdOf(label)).ToArray();
        var gone = new long[ids.Length];
        foreach (var code in samples.Codes.Span) gone[code]++;
        using (NewDisposeScope())
            for (var code = 0; code < ids.Length; code++)
            {
                var learnt = ids[code] < 0 ? 0 : (long)Counts[ids[code]].item<double>();
                if (gone[code] > learnt)
                    throw new ArgumentException(
                        $"samples: {gone[code]} of label {samples.Labels[code]}, expected at most the {learnt} learnt", nameof(samples));
            }
        Blocks(samples, ids, 0, samples.Count, -1, undoFrom: 0);
    }

    /// <summary>Unlearns a class without its samples: the head becomes the one that never saw it.</summary>
    /// <param name="label">A label with samples.</param>
    /// <exception cref="ArgumentException">A label that has no samples here.</exception>
    /// <exception cref="NotSupportedException">
    /// Its sums cannot be told from those of the others: only <see cref="NearestClassMean"/>, <see cref="FeCam"/> and a
    /// <see cref="RidgeClassifier"/> with <see cref="ClassBalance.PerClass"/> keep them apart; give the samples to <see cref="Unlearn(ISampleSource)"/>.
    /// </exception>
    public void Unlearn(Label label)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var id = Classes.IdOf(label);
        if (id < 0 || id >= Counts.size(0) || Counts[id].item<double>() < 0.5)
            throw new ArgumentException($"label: {label} has no samples here, expected one that was learnt", nameof(label));
        if (!Drop(id))
            throw new NotSupportedException($"label: sums of {label} are shared with other classes by {Kind}, expected its samples to unlearn them");
    }

    /// <summary>Chooses <see cref="Temperature"/> so that probabilities say how often predictions are right.</summary>
    /// <param name="validation">Samples of learnt classes that were not learnt themselves.</param>
    /// <returns>The temperature. It stays when more is learnt; calibrate again then.</returns>
    /// <exception cref="ArgumentException">A label that was never learnt.</exception>
    public double Calibrate(ISampleSource validation) => Temperature = TemperatureScaling.Fit(this, validation);

    /// <inheritdoc/>
    public Prediction Predict(Tensor inputs, int? taskId = null)
    {
        using var scope = NewDisposeScope();
        return new(Scores(inputs, taskId).MoveToOuterDisposeScope(), Classes, TargetKind.Classes, Temperature);
    }

    /// <inheritdoc/>
    /// <remarks>Minus infinity for a class without samples, none summed yet or all unlearnt; within ±1e38 for the others.</remarks>
    public Tensor Scores(Tensor inputs, int? taskId = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return ScoresOf(inputs, Classes.Count);
    }

    /// <summary>Scores of the first so many classes, the last of which may not be known here yet.</summary>
    internal Tensor ScoresOf(Tensor inputs, long classes) => Asked(inputs, classes, Score, double.NegativeInfinity);

    /// <summary>
    /// Writes the statistics as named tensors and values; the feature extractor is not among them, see
    /// <see cref="AnalyticBundle"/> for both.
    /// </summary>
    /// <param name="state">Where to.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        new AnalyticValues(
            [.. Classes.Classes.Select(key => key.Label.Name)], [.. _learnt.Order()], _cursor, Temperature, InputShape, InputType)
            .Write(state.Values);
        SaveStatistics(state);
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into a new learner with the same features and options.</summary>
    /// <param name="state">Where from.</param>
    /// <exception cref="InvalidOperationException">This learner has learnt already.</exception>
    /// <exception cref="InvalidDataException">Statistics are missing or were made with other features.</exception>
    public void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (Classes.Count > 0) throw new InvalidOperationException("load: the learner has learnt, expected a new one");
        var values = AnalyticValues.Read(state.Values, "statistics");
        using var scope = NewDisposeScope();
        try
        {
            LoadStatistics(state);
        }
        catch (Exception problem) when (problem is InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"statistics: values are missing or of another kind ({problem.Message})", problem);
        }
        (_cursor, Temperature, InputShape, InputType) = (values.Cursor, values.Temperature, values.InputShape, values.InputType);
        foreach (var label in values.Labels) Classes.Register(label);
        _learnt.UnionWith(values.Learnt);
        if (Counts.size(0) > Classes.Count)
            throw new InvalidDataException($"statistics: {Counts.size(0)} counts, expected at most the {Classes.Count} labels");
    }

    /// <summary>What a file says of this learner, besides its statistics.</summary>
    internal (string Kind, JsonObject Options) Describe()
    {
        var options = Options();
        options["blockSize"] = BlockSize;
        return (Kind, options);
    }

    /// <summary>Adds (sign −1: subtracts) samples by class id, outside <see cref="Learn"/>.</summary>
    internal void Sum(Tensor inputs, Tensor ids, int sign = 1)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Add(Extract(inputs), ids, sign);
    }

    /// <summary>Frees the statistics, the head and the feature extractor.</summary>
    public virtual void Dispose()
    {
        Features.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The scores as a formula, its tensors in the caller's scope; of the classes summed, which may be fewer than the labels known.</summary>
    /// <exception cref="InvalidOperationException">Nothing was learnt yet.</exception>
    internal AnalyticForm Form()
    {
        if (!HasLearnt) throw NothingLearnt("form");
        using var _ = no_grad();
        var form = Solved();
        return form with { Offset = form.Offset.masked_fill(Counts.lt(Held(0.5)), Held(double.NegativeInfinity)) };
    }

    private protected static InvalidOperationException NothingLearnt(string asked) =>
        new($"{asked}: nothing was learnt yet, expected Learn to be called first");

    private protected abstract AnalyticForm Solved();

    // Adds (sign −1: subtracts) the terms of a block; features float32 [n, features], ids int64 [n].
    private protected abstract void Add(Tensor features, Tensor ids, int sign);

    // Takes out the terms of a class where they are kept apart from those of the others; says whether they are.
    private protected virtual bool Drop(int id) => false;

    // Scores float64 [n, classes] of features float64 [n, features].
    private protected abstract Tensor Score(Tensor features);

    // Options as the learner's file keeps them.
    private protected abstract JsonObject Options();

    // Squared distances by a function of features float64 [n, features].
    private protected Tensor DistancesOf(Tensor inputs, Func<Tensor, Tensor> squared)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return Asked(inputs, Classes.Count, phi => squared(phi).clamp_min_(Held(0)), double.PositiveInfinity);
    }

    // Labels are known before their first block is summed, which may be stopped or fail: there are as many answers as there are counts.
    private Tensor Asked(Tensor inputs, long classes, Func<Tensor, Tensor> answer, double empty)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (!HasLearnt) throw NothingLearnt("predict");
        var values = answer(Extract(inputs).to(ScalarType.Float64)).clamp(Held(-Greatest), Held(Greatest));
        var answered = values.masked_fill(Counts.lt(Held(0.5)), Held(empty)).to(ScalarType.Float32);
        return nn.functional.pad(answered, [0, classes - Counts.size(0)], value: empty).MoveToOuterDisposeScope();
    }

    private protected abstract void SaveStatistics(MechanismState state);

    private protected abstract void LoadStatistics(MechanismState state);

    private Tensor Extract(Tensor inputs)
    {
        if (inputs.dtype is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"inputs: {inputs.dtype}, expected Byte or Float32", nameof(inputs));
        var features = Features.Extract(Scaling.Apply(inputs));
        if (features.dim() != 2 || features.size(1) != Features.FeatureCount)
            throw new ArgumentException(
                $"inputs: give features [{string.Join(", ", features.shape)}], expected [batch, {Features.FeatureCount}]",
                nameof(inputs));
        return features.isfinite().all().item<bool>()
            ? features
            : throw new ArgumentException("inputs: NaN or infinite features, expected finite numbers", nameof(inputs));
    }

    private void Check(Experience experience)
    {
        if (_cursor is { } cursor && cursor.Experience != experience.Index)
            throw new InvalidOperationException(
                $"experience: {experience.Index}, expected {cursor.Experience}, which was interrupted and must be finished first");
        if (_learnt.Contains(experience.Index))
            throw new ArgumentException($"experience: index {experience.Index} was learnt before, expected a new index");
        CheckSource("train", experience.Train);
    }

    // One sample through the features tells, before anything has changed, whether they fit together.
    private void CheckSource(string what, ISampleSource source)
    {
        if (source.TargetKind != TargetKind.Classes)
            throw new ArgumentException($"{what}: targets are {source.TargetKind}, expected Classes");
        SampleCheck.Throw(what, source);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Extract(source.Gather([0]).Inputs);
    }

    private static ScalarType TypeOf(ISampleSource source)
    {
        using var scope = NewDisposeScope();
        return source.Gather([0]).Inputs.dtype;
    }

    // What fails in the middle leaves nothing behind: the terms since undoFrom are taken back.
    private void Blocks(ISampleSource source, long[] ids, int start, int end, int sign, int undoFrom)
    {
        var at = start;
        try
        {
            for (; at < end; at += BlockSize) Block(source, ids, at, sign);
        }
        catch
        {
            for (var back = undoFrom; back < at; back += BlockSize) Block(source, ids, back, -sign);
            if (sign > 0 && _cursor is { } cursor) _cursor = undoFrom == 0 ? null : (cursor.Experience, undoFrom);
            throw;
        }
    }

    private void Block(ISampleSource source, long[] ids, int start, int sign)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var indices = new long[Math.Min(BlockSize, source.Count - start)];
        for (var i = 0; i < indices.Length; i++) indices[i] = start + i;
        var batch = source.Gather(indices);
        Add(Extract(batch.Inputs), tensor(ids).index_select(0, batch.Targets), sign);
    }
}
