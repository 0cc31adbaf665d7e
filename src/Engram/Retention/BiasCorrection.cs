using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How <see cref="BiasCorrection"/> distils, and learns its correction.</summary>
public sealed record BicOptions : ExemplarOptions
{
    /// <summary>T in equation 1: temperature of the distillation.</summary>
    /// <value>Default 2, as in the paper; a positive number.</value>
    public double Temperature { get; init; } = 2;

    /// <summary>Share of the exemplars that is kept for validation, never trained on.</summary>
    /// <value>Default 0.1, the paper's 9:1; above 0, at most 0.5.</value>
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Weight of ½β² in the objective of the correction.</summary>
    /// <value>Default 0.1, as in the authors' code (the paper's equation 5 has none); 0 or more.</value>
    public double BetaDecay { get; init; } = 0.1;

    internal override void Validate()
    {
        base.Validate();
        if (!(Temperature > 0 && double.IsFinite(Temperature)))
            throw new ArgumentException($"Temperature: {Temperature}, expected a positive number");
        if (ValidationShare is not (> 0 and <= 0.5))
            throw new ArgumentException($"ValidationShare: {ValidationShare}, expected above 0 and at most 0.5");
        if (!(BetaDecay >= 0 && double.IsFinite(BetaDecay)))
            throw new ArgumentException($"BetaDecay: {BetaDecay}, expected 0 or more");
    }

    /// <summary>How a class's share of the memory is divided.</summary>
    internal (int Train, int Validation) Divide(int classes)
    {
        var share = Share(classes);
        var validation = Math.Max(1, (int)Math.Ceiling(ValidationShare * share));
        return (Math.Max(1, share - validation), validation);
    }
}

/// <summary>
/// BiC, bias correction: distillation with exemplars, then one factor and one offset for the logits of the new classes,
/// learnt on a small balanced validation set. Wu et al. 2019, "Large Scale Incremental Learning", equations 1 to 5.
/// </summary>
/// <remarks>
/// Stage 1 trains on new samples and exemplars with λ L_d + (1 − λ) L_c, λ = n / (n + m) for n old and m new classes
/// (equation 3); logits of earlier classes carry the corrections of their own experiences, in the model and in the teacher.
/// Stage 2 (equations 4 and 5) finds α and β on as many held-out samples of each new class as there are validation
/// exemplars of each old one. Held-out samples are never trained on. A class of one sample is not held out.
/// </remarks>
public sealed class BiasCorrection : RetentionMechanism
{
    private readonly BicOptions _options;
    private readonly FrozenModel _teacher = new();
    private readonly ExemplarSet _validation = new();
    private SortedDictionary<int, long[]> _heldOut = [];
    private Tensor? _soft;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public BiasCorrection(BicOptions? options = null)
    {
        _options = options ?? new BicOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public override string Name => "bic";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.TrainingData | Seams.Loss | Seams.ExtraLoss | Seams.Prediction;

    /// <inheritdoc/>
    public override long SamplesStored => Exemplars.Count + _validation.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => Exemplars.Classes.Concat(_validation.Classes);

    /// <inheritdoc/>
    public override long MemoryBytes => Exemplars.Bytes + _validation.Bytes + _teacher.Bytes + Layer.Bytes;

    /// <summary>The exemplars that are trained on.</summary>
    public ExemplarSet Exemplars { get; } = new();

    /// <summary>The correction.</summary>
    public BiasLayer Layer { get; } = new();

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) => ExemplarMechanism.WhyNot(options);

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other switch
    {
        LearningWithoutForgetting => "distils itself (equation 1), expected no lwf beside it",
        WeightAligning => "corrects the same bias, expected no wa beside it",
        _ => ExemplarMechanism.WhyNotBeside(other),
    };

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Completed > 0) _teacher.Capture(context);
    }

    /// <inheritdoc/>
    protected internal override ISampleSource ChooseTrainingData(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var source = context.Experience.Train;
        var unknown = source.Labels.Count(label => context.Classes.IdOf(label) < 0);
        var (_, validation) = _options.Divide(context.Classes.Count + unknown);
        var random = new SeededRandom(context.Options.Seed, $"bic/{context.Experience.Index}");
        var train = new List<int>();
        _heldOut = [];
        var codes = source.Codes;
        foreach (var group in Enumerable.Range(0, source.Count).GroupBy(row => codes.Span[row]).OrderBy(g => g.Key))
        {
            var rows = group.ToArray();
            random.Shuffle<int>(rows);
            var held = Math.Min(validation, rows.Length / 2);
            _heldOut[group.Key] = Array.ConvertAll(rows[..held], row => (long)row);
            train.AddRange(rows[held..]);
        }
        train.Sort();
        return Exemplars.Join(new SubsetSource(source, [.. train]), context.Classes);
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(context);
        _teacher.Carry(change);
        Layer.Grow(context.Classes.Count);
    }

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _soft = null;
        if (!_teacher.Exists) return;
        _soft = Layer.Apply(_teacher.Answers(step));
        Distillation.ScaleLabels(step, Weights(step).New);
    }

    /// <inheritdoc/>
    protected internal override Tensor? ReplaceLoss(TrainingStep step, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(part);
        return step.Context.Targets.Loss(Layer.Apply(TrainingStep.RowsOf(step.Logits, part)), part); // equation 2
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_soft is null) return null;
        var old = Layer.Apply(step.Logits.narrow(1, 0, _teacher.Classes));
        return Distillation.SoftCrossEntropy(old, _soft, _options.Temperature, Weights(step).Old); // equation 1
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _teacher.Dispose();
        var source = context.Experience.Train;
        var (train, validation) = _options.Divide(context.Classes.Count);
        var herded = ExemplarSet.Herd(context, train);
        _validation.Update(validation, _heldOut.Where(held => held.Value.Length > 0).ToDictionary(
            held => context.Classes.IdOf(source.Labels[held.Key]), held => source.Gather(held.Value).Inputs));
        Correct(context);
        Exemplars.Update(train, herded);
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits) => Layer.Apply(logits);

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        _teacher.Save(state);
        Exemplars.Save(state, "exemplars");
        _validation.Save(state, "validation");
        Layer.Save(state);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        _teacher.Load(state);
        Exemplars.Load(state, "exemplars", context.Classes.Count);
        _validation.Load(state, "validation", context.Classes.Count);
        Layer.Load(state);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _teacher.Dispose();
        Exemplars.Dispose();
        _validation.Dispose();
        Layer.Dispose();
    }

    private (double New, double Old) Weights(TrainingStep step) =>
        Distillation.Weights(DistillationWeighting.ByClasses, step.Context, _teacher.Classes);

    // Stage 2; needs samples of both sides of the balance.
    private void Correct(LearningContext context)
    {
        var first = context.KnownBefore;
        var sides = _validation.Classes.GroupBy(held => held.ClassId >= first).Count();
        if (first == 0 || first == context.Classes.Count || sides < 2) return;
        var (logits, targets) = (new List<Tensor>(), new List<Tensor>());
        for (var start = 0; start < _validation.Count; start += 512)
        {
            var part = _validation.Read(context, start, 512);
            logits.Add(Layer.Apply(context.Model.forward(part.Inputs)));
            targets.Add(part.Targets);
        }
        var (alpha, beta) = BiasLayer.Fit(cat(logits), cat(targets), first, _options.BetaDecay);
        Layer.Set(first, alpha, beta);
    }
}
