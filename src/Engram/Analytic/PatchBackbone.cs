using Engram.Data;
using Engram.Models;

namespace Engram.Analytic;

/// <summary>A backbone that learns from images without labels, once, before the first experience.</summary>
public interface IUnlabelledBackbone
{
    /// <summary>Whether it has learnt.</summary>
    bool IsLearnt { get; }

    /// <summary>Learns.</summary>
    /// <param name="images">The first experience's samples; labels are not looked at.</param>
    /// <param name="scaling">How stored samples become inputs.</param>
    /// <param name="seed">Equal seeds give equal features.</param>
    void LearnFrom(ISampleSource images, InputScaling scaling, long seed);
}

/// <summary><see cref="PatchFeatures"/> as the backbone of a model, for <see cref="AnalyticHead"/>: filters are buffers, nothing is trained.</summary>
public sealed class PatchBackbone : Backbone, IUnlabelledBackbone
{
    private readonly PatchOptions _options;
    private readonly int _channels;
    private readonly Tensor _filters; // [filters, channels, side, side]; zeros until chosen
    private readonly Tensor _bias; // [filters]

    /// <summary>Creates it without filters.</summary>
    /// <param name="channels">Of the images.</param>
    /// <param name="options">Sizes; null for the defaults. The seed is the learner's.</param>
    public PatchBackbone(int channels, PatchOptions? options = null)
        : base("patches", PatchFeatures.Width(options ??= new PatchOptions()))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        (_options, _channels) = (options, channels);
        _filters = zeros(options.Filters, channels, options.Side, options.Side);
        _bias = full(options.Filters, Held(-options.Threshold), ScalarType.Float32);
        register_buffer("filters", _filters);
        register_buffer("bias", _bias);
    }

    internal (Tensor Filters, Tensor Bias, int Grid) Response => (_filters, _bias, _options.Grid);

    /// <inheritdoc/>
    public override string Architecture =>
        $"patches {_channels}x{_options.Filters} side {_options.Side} grid {_options.Grid}";

    /// <inheritdoc/>
    public bool IsLearnt
    {
        get
        {
            using var scope = NewDisposeScope();
            return _filters.count_nonzero().item<long>() > 0;
        }
    }

    /// <inheritdoc/>
    public void LearnFrom(ISampleSource images, InputScaling scaling, long seed)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(scaling);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _filters.copy_(PatchFeatures.Choose(images, _options with { Seed = seed }, scaling));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => PatchFeatures.Respond(input, _filters, _bias, _options.Grid);
}
