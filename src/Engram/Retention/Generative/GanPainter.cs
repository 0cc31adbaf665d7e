using TorchSharp.Modules;

namespace Engram.Retention;

/// <summary>
/// The generator of a <see cref="GanGenerator"/>: z and a class become an image by two transposed convolutions (Radford, Metz and
/// Chintala 2016, without batch normalisation, whose statistics old and new classes would share).
/// </summary>
internal sealed class GanPainter : nn.Module
{
    private readonly long[] _shape; // channels, height, width of the features that convolutions begin with
    private readonly Linear _first;
    private readonly Parameter _ofClass = new(zeros(0));
    private readonly ConvTranspose2d _second;
    private readonly ConvTranspose2d _third;

    public GanPainter(IReadOnlyList<long> image, int classes, GanOptions options) : base("painter")
    {
        (LatentSize, _shape) = (options.LatentSize, [options.Widths[1], image[1] / 4, image[2] / 4]);
        var features = _shape[0] * _shape[1] * _shape[2];
        register_module("first", _first = nn.Linear(LatentSize, features));
        register_module("second", _second = nn.ConvTranspose2d(options.Widths[1], options.Widths[0], 4, stride: 2, padding: 1));
        register_module("third", _third = nn.ConvTranspose2d(options.Widths[0], image[0], 4, stride: 2, padding: 1));
        using (no_grad()) _ofClass.set_(Rows(classes, features));
        register_parameter("of_class", _ofClass);
    }

    /// <summary>How many parameters one would have; any sizes, for a file may state them.</summary>
    public static double Numbers(long[] image, int classes, GanOptions options)
    {
        var (narrow, wide) = ((double)options.Widths[0], (double)options.Widths[1]);
        var features = wide * (image[1] / 4) * (image[2] / 4);
        return ((options.LatentSize + 1.0 + classes) * features) + (((16 * wide) + 1) * narrow) + (((16 * narrow) + 1) * image[0]);
    }

    public int LatentSize { get; }

    public int Classes => (int)_ofClass.size(0);

    /// <summary>Adds a random row for each new class.</summary>
    public void Grow(int added)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _ofClass.set_(cat([_ofClass.detach(), Rows(added, _ofClass.size(1))]));
    }

    /// <summary>Images in 0..1, float32 <c>[n, channels, height, width]</c>.</summary>
    /// <param name="latent">z, <c>[n, latent]</c>.</param>
    /// <param name="classes">Class ids, int64 <c>[n]</c>.</param>
    public Tensor Paint(Tensor latent, Tensor classes)
    {
        var hidden = _first.forward(latent).add(_ofClass.index_select(0, classes), alpha: Held(1)).relu_();
        return _third.forward(_second.forward(hidden.view([hidden.size(0), .. _shape])).relu_()).sigmoid();
    }

    private static Tensor Rows(int classes, long features) => randn(classes, features).mul_(Held(0.1));
}
