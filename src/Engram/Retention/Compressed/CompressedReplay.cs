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

    /// <summary>Bytes of one exemplar per channel of an image: the cosine coefficients kept. Features are kept whole, a byte each.</summary>
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
/// Replay from codes: exemplars are kept as quantised cosine coefficients of images, a tenth of their size, or as quantised features, a quarter of
/// theirs and far less than the image's, so that the same bytes hold more of the past. The idea of REMIND (Hayes et al. 2020).
/// </summary>
/// <remarks>
/// Images <c>[channels, height, width]</c>, bytes or floats in 0..1, are kept by a fixed transform in place of a learnt code; the network must see
/// new images through the same coefficients (<see cref="Models.CosineMlp"/>): otherwise their sharpness alone tells new classes from old, and
/// replay does harm. Features <c>[features]</c> of a network that no longer changes (<see cref="Analytic.FeatureExtractor.Samples(ISampleSource, Models.InputScaling)"/>)
/// are kept as a byte each beside the range of their sample (REMIND: product quantisation of a feature map). Class-balanced reservoir, filled when
/// an experience ends; the loss is the mean over new and repeated samples, as in <see cref="Replay"/>. The basis (a function of the image's
/// shape) is working space and not counted as memory.
/// </remarks>
public sealed class CompressedReplay : RetentionMechanism
{
    private readonly CompressedReplayOptions _options;
    private ReplayBuffer _buffer = null!;
    private IExemplarCodec? _codec;

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

    /// <inheritdoc/>
    public override long SamplesStored => _buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _buffer.ClassSizes.Index();

    /// <summary>Bytes taken for codes and labels, and of the places by which the buffer balances them, which small codes do not dwarf.</summary>
    public override long MemoryBytes => _buffer.Bytes + ((long)SlotGroups.BytesPerSlot * _buffer.Count);

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
        return experience.Train.InputShape switch
        {
            [_] when experience.Train.InputType == ScalarType.Byte => $"samples of single bytes, which no code makes smaller, expected images or float32 features for {Name}",
            [_] => null,
            [_, var height, var width] when height * width >= _options.Coefficients => UnitInputs.WhyNot(experience.Train, Name),
            var shape => $"samples of shape [{string.Join(", ", shape)}], expected images [channels, height, width] of "
                + $"{_options.Coefficients} pixels or more, or features [features], for {Name}",
        };
    }

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_buffer.Count == 0) return;
        var (codes, targets, tasks) = _buffer.ReadStored(_buffer.Draw(_options.BatchSize ?? step.Current.Count));
        var raw = Codec(step.Context).Decode(codes).view([codes.size(0), .. step.Context.Source.InputShape]);
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

    private IExemplarCodec Codec(LearningContext context) => _codec ??= context.Source.InputShape is { Count: 3 } image
        ? new CosineCodec(image, _options.Coefficients)
        : new QuantisedCodec();
}
