using Engram.Data;
using Engram.Learning;
using Engram.Memory;

namespace Engram.Retention;

/// <summary>How <see cref="DarkExperienceReplay"/> keeps and repeats samples.</summary>
public sealed record DerOptions
{
    /// <summary>M: samples kept.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Samples repeated by each of the two terms; null means as many as are new.</summary>
    /// <value>Default null.</value>
    public int? BatchSize { get; init; }

    /// <summary>α in equations 5 and 6: weight of the distance to the stored logits.</summary>
    /// <value>Default 0.2, chosen on validation data of Split MNIST; 0 or more.</value>
    public double Alpha { get; init; } = 0.2;

    /// <summary>β in equation 6: weight of the loss on stored labels; 0 makes DER of DER++.</summary>
    /// <value>Default 1, chosen on validation data of Split MNIST; 0 or more.</value>
    public double Beta { get; init; } = 1;

    /// <summary>What the memory holds equal shares of.</summary>
    /// <value>Default <see cref="BalanceBy.Sample"/>, the plain reservoir of the paper.</value>
    public BalanceBy Balance { get; init; } = BalanceBy.Sample;
}

/// <summary>
/// DER and DER++: repeats stored samples and asks for the logits that the model gave when they were stored, so that old
/// answers persist with their doubts. Buzzega et al. 2020, "Dark Experience for General Continual Learning", equation 6:
/// L = L_new + α E ‖z − h(x)‖² + β E ℓ(y′, f(x′)), with (x, z) and (x′, y′) drawn independently.
/// </summary>
/// <remarks>
/// As in the authors' code the squared distance is the mean over outputs, not the sum, and samples enter the memory in
/// every pass, with the logits of the forward pass that trained on them. The paper's head has all outputs from the start;
/// ours grows, so logits stored before a class came are shorter and only the stored outputs are compared. Nothing then
/// holds new outputs down on old samples but the β term: with a growing head prefer DER++ to DER. The three parts share
/// one forward pass (and its batch statistics).
/// </remarks>
public sealed class DarkExperienceReplay : RetentionMechanism
{
    private const string Logits = "logits";

    private readonly DerOptions _options;
    private ReplayBuffer _buffer = null!;
    private BatchPart? _dark;
    private Tensor? _stored;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults (DER++).</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public DarkExperienceReplay(DerOptions? options = null)
    {
        _options = options ?? new DerOptions();
        if (_options.Capacity < 1) throw new ArgumentException($"Capacity: {_options.Capacity}, expected 1 or more");
        if (_options.BatchSize < 1) throw new ArgumentException($"BatchSize: {_options.BatchSize}, expected 1 or more");
        foreach (var (name, value) in new[] { ("Alpha", _options.Alpha), ("Beta", _options.Beta) })
            if (!(value >= 0 && double.IsFinite(value))) throw new ArgumentException($"{name}: {value}, expected 0 or more");
        if (_options is { Alpha: 0, Beta: 0 })
            throw new ArgumentException("Alpha: 0 with Beta 0 repeats nothing, expected at least one above 0");
    }

    /// <inheritdoc/>
    public override string Name => _options.Beta == 0 ? "der" : "der++";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples | Seams.ExtraLoss;

    /// <inheritdoc/>
    public override long SamplesStored => _buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _buffer.ClassSizes.Index();

    /// <inheritdoc/>
    public override long MemoryBytes => _buffer.Bytes;

    /// <summary>The memory.</summary>
    public ReplayBuffer Buffer => _buffer;

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => ExemplarMechanism.SecondMemory(other);

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _buffer = new ReplayBuffer(_options.Capacity, _options.Balance, new SeededRandom(context.Options.Seed, Name));
    }

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        (_dark, _stored) = (null, null);
        if (_buffer.Count == 0) return;
        var count = _options.BatchSize ?? step.Current.Count;
        step.Current.Weight = 1;
        if (_options.Alpha > 0)
        {
            var slots = _buffer.Draw(count);
            _stored = _buffer.ReadExtra(Logits, slots);
            _dark = _buffer.Read(step.Context, slots);
            _dark.Weight = 0;
            step.Parts.Add(_dark);
        }
        if (_options.Beta == 0) return;
        var labelled = _buffer.Read(step.Context, _buffer.Draw(count));
        labelled.Weight = _options.Beta;
        step.Parts.Add(labelled);
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return _dark is null ? null : Distance(TrainingStep.RowsOf(step.Logits, _dark), _stored!).mul(Held(_options.Alpha));
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var logits = TrainingStep.RowsOf(step.Logits, step.Current).detach();
        _buffer.Offer(step.Current, step.Context.Experience.Index, new Dictionary<string, Tensor> { [Logits] = logits });
        (_dark, _stored) = (null, null);
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _buffer.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _buffer.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _buffer?.Dispose();

    /// <summary>Mean squared distance over the stored outputs; NaN marks those that were not stored.</summary>
    internal static Tensor Distance(Tensor logits, Tensor stored)
    {
        // The column is as wide as the widest row; the head may be wider still.
        logits = logits.narrow(1, 0, stored.size(1));
        var known = stored.isnan().logical_not_();
        var difference = logits.sub(stored.nan_to_num(0)).mul(known);
        return difference.pow(Held(2)).sum().div(known.sum());
    }
}
