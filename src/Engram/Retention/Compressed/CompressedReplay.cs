using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>How <see cref="CompressedReplay"/> keeps and repeats.</summary>
public sealed record CompressedReplayOptions
{
    /// <summary>M: exemplars kept.</summary>
    /// <value>Default 10,000; 1 or more.</value>
    public int Capacity { get; init; } = 10_000;

    /// <summary>Bytes of one exemplar per channel: the cosine coefficients kept.</summary>
    /// <value>Default 54: with label and place a tenth of an MNIST image's 784 bytes and label; 1 or more.</value>
    public int Coefficients { get; init; } = 54;

    /// <summary>Exemplars repeated per step.</summary>
    /// <value>Default none: as many as there are new samples.</value>
    public int? BatchSize { get; init; }

    internal CompressedReplayOptions Validated()
    {
        if (Capacity < 1) throw new ArgumentException($"Capacity: {Capacity}, expected 1 or more");
        if (Coefficients < 1) throw new ArgumentException($"Coefficients: {Coefficients}, expected 1 or more");
        return BatchSize is < 1 ? throw new ArgumentException($"BatchSize: {BatchSize}, expected 1 or more") : this;
    }
}

/// <summary>
/// Replay from codes: exemplars are kept as quantised cosine coefficients, a tenth of their size and less, so that the same bytes
/// hold ten times more of the past. The idea of REMIND (Hayes et al. 2020) with a fixed transform in place of a learnt one.
/// </summary>
/// <remarks>
/// The network must see new images through the same coefficients (<see cref="Models.CosineMlp"/>): otherwise their sharpness
/// alone tells new classes from old, and replay does harm. For images <c>[channels, height, width]</c>, bytes or floats in 0..1. Class-balanced reservoir, filled when an experience
/// ends; the loss is the mean over new and repeated samples, as in <see cref="Replay"/>. The basis (a function of the image's
/// shape) is working space and not counted as memory.
/// </remarks>
public sealed class CompressedReplay : RetentionMechanism
{
    private readonly CompressedReplayOptions _options;
    private ReplayBuffer _buffer = null!;
    private CosineCodec? _codec;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public CompressedReplay(CompressedReplayOptions? options = null) =>
        _options = (options ?? new CompressedReplayOptions()).Validated();

    /// <inheritdoc/>
    public override string Name => "compressed-replay";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples;

    private const int PlaceBytes = 16; // group and place within it

    /// <inheritdoc/>
    public override long SamplesStored => _buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _buffer.ClassSizes.Index();

    /// <summary>Bytes taken for codes and labels, and of the places by which the buffer balances them, which small codes do not dwarf.</summary>
    public override long MemoryBytes => _buffer.Bytes + ((long)PlaceBytes * _buffer.Count);

    /// <summary>Exemplars kept.</summary>
    public int Count => _buffer.Count;

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => ExemplarMechanism.SecondMemory(other);

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _buffer = new ReplayBuffer(_options.Capacity, BalanceBy.Class, new SeededRandom(context.Options.Seed, Name));
    }

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience)
    {
        ArgumentNullException.ThrowIfNull(experience);
        var shape = experience.Train.InputShape;
        return shape.Count != 3 || shape[1] * shape[2] < _options.Coefficients
            ? $"samples of shape [{string.Join(", ", shape)}], expected images [channels, height, width] of "
                + $"{_options.Coefficients} pixels or more for {Name}"
            : UnitInputs.WhyNot(experience.Train, Name);
    }

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_buffer.Count == 0) return;
        var (codes, targets, tasks) = _buffer.ReadStored(_buffer.Draw(_options.BatchSize ?? step.Current.Count));
        var raw = Codec(step.Context).Decode(codes).view([codes.shape[0], .. step.Context.Source.InputShape]);
        step.Parts.Add(step.Context.Targets.Part(raw, targets, tasks));
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        var random = new SeededRandom(context.Options.Seed, $"{Name}/{context.Experience.Index}");
        _buffer.OfferAll(context, random.Permutation(context.Source.Count), part =>
        {
            var codes = Codec(context).Encode(UnitInputs.Of(part.Raw));
            return new BatchPart { Raw = codes, Inputs = codes, Targets = part.Targets, Tasks = part.Tasks };
        });
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _buffer.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _buffer.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _buffer?.Dispose();
        _codec?.Dispose();
    }

    private CosineCodec Codec(LearningContext context) => _codec ??= new CosineCodec(context.Source.InputShape, _options.Coefficients);
}
