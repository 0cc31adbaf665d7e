using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Models;

namespace Engram.Analytic;

/// <summary>How <see cref="PatchFeatures"/> are learnt.</summary>
public sealed record PatchOptions
{
    /// <summary>Filters k.</summary>
    /// <value>Default 128.</value>
    public int Filters { get; init; } = 128;

    /// <summary>Side of a square patch.</summary>
    /// <value>Default 6.</value>
    public int Side { get; init; } = 6;

    /// <summary>Side of the grid that responses are averaged into.</summary>
    /// <value>Default 6: with 128 filters, 4,608 features.</value>
    public int Grid { get; init; } = 6;

    /// <summary>α, the threshold of the activation.</summary>
    /// <value>Default 0.25.</value>
    public double Threshold { get; init; } = 0.25;

    /// <summary>Seed of the choice of patches.</summary>
    /// <value>Default 0.</value>
    public long Seed { get; init; }
}

/// <summary>
/// Convolution with normalised patches of the images themselves, chosen without labels, soft threshold max(0, z − α) and
/// averaging over a grid (Coates and Ng 2011, "The importance of encoding versus training with sparse coding and vector
/// quantization": random patches as dictionary, soft-threshold encoding).
/// </summary>
/// <remarks>
/// Deviations: patches are normalised but not ZCA-whitened, and responses are divided by no local norm. Only the patches
/// are kept (filters × side² numbers), no image.
/// </remarks>
public sealed class PatchFeatures : FeatureExtractor
{
    private readonly PatchOptions _options;
    private readonly Tensor _filters; // [filters, channels, side, side]
    private readonly Tensor _bias; // [filters]

    /// <summary>Chooses the patches.</summary>
    /// <param name="images">Unlabelled images <c>[channels, height, width]</c>, for example the first experience's.</param>
    /// <param name="options">Sizes; null for the defaults.</param>
    /// <param name="scaling">As the learner's.</param>
    /// <exception cref="ArgumentException">An option out of range, or images without contrast.</exception>
    public PatchFeatures(ISampleSource images, PatchOptions? options = null, InputScaling? scaling = null)
        : base(Width(options ??= new PatchOptions()))
    {
        ArgumentNullException.ThrowIfNull(images);
        _options = options;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _filters = Choose(images, options, scaling ?? new InputScaling()).DetachFromDisposeScope();
        _bias = full(options.Filters, Held(-options.Threshold), ScalarType.Float32).DetachFromDisposeScope();
    }

    private PatchFeatures(PatchOptions options, Tensor filters) : base(Width(options))
    {
        (_options, _filters) = (options, filters);
        _bias = full(options.Filters, Held(-options.Threshold), ScalarType.Float32).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override long MemoryBytes => 4 * (_filters.numel() + _bias.numel());

    /// <inheritdoc/>
    public override Tensor Extract(Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return Respond(inputs, _filters, _bias, _options.Grid);
    }

    internal (Tensor Filters, Tensor Bias, int Grid) Response => (_filters, _bias, _options.Grid);

    internal static Tensor Respond(Tensor inputs, Tensor filters, Tensor bias, int grid) =>
        nn.functional.adaptive_avg_pool2d(nn.functional.conv2d(inputs, filters, bias).relu_(), grid).flatten(1);

    internal override ExtractorFile Describe() => new(
        "patches", (JsonObject)JsonSerializer.SerializeToNode(_options)!, new Dictionary<string, Tensor> { ["filters"] = _filters });

    internal static PatchFeatures Of(ExtractorFile file)
    {
        var options = file.Options.Deserialize<PatchOptions>()!;
        return new PatchFeatures(options, file.Take("filters", options.Filters, -1, options.Side, options.Side));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _filters.Dispose();
        _bias.Dispose();
        base.Dispose();
    }

    // Patches with little contrast (the black border) say nothing: a place is drawn again until it has some.
    internal static Tensor Choose(ISampleSource images, PatchOptions options, InputScaling scaling)
    {
        if (images.InputShape.Count != 3 || images.InputShape[1] < options.Side || images.InputShape[2] < options.Side)
            throw new ArgumentException(
                $"images: [{string.Join(", ", images.InputShape)}], expected [channels, height, width] of {options.Side} or more",
                nameof(images));
        var random = new SeededRandom(options.Seed, "patches");
        var patches = new List<Tensor>();
        for (var attempt = 0; patches.Count < options.Filters; attempt++)
        {
            if (attempt > 200 * options.Filters)
                throw new ArgumentException("images: no patches with contrast, expected images that are not constant");
            using var scope = NewDisposeScope();
            var image = scaling.Apply(images.Gather([random.Next(images.Count)]).Inputs)[0];
            var top = random.Next((int)image.size(1) - options.Side + 1);
            var left = random.Next((int)image.size(2) - options.Side + 1);
            var patch = image.narrow(1, top, options.Side).narrow(2, left, options.Side);
            var centred = patch.sub(patch.mean());
            var norm = centred.norm().item<float>();
            if (norm > 0.1 * options.Side) patches.Add(centred.div(Held(norm)).MoveToOuterDisposeScope());
        }
        return stack(patches);
    }

    internal static int Width(PatchOptions options)
    {
        Positive(nameof(options.Filters), options.Filters);
        Positive(nameof(options.Side), options.Side);
        Positive(nameof(options.Grid), options.Grid);
        if (!double.IsFinite(options.Threshold))
            throw new ArgumentException($"Threshold: {options.Threshold}, expected a finite number");
        return checked(options.Filters * options.Grid * options.Grid);
    }

    private static void Positive(string name, int value)
    {
        if (value < 1) throw new ArgumentException($"{name}: {value}, expected 1 or more");
    }
}
